//! A small cluster.

/// A Server as the API server has it, or as a cache has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// `metadata.resourceVersion`.
    pub version: u8,
    pub host: Option<u8>,
    pub deleting: bool,
    /// The action Evacuate was asked for.
    pub evacuate: bool,
    /// It is echoed.
    pub echoed: bool,
    pub launched_on: Option<u8>,
    /// `status.hostGeneration`.
    pub claim: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    None,
    Off,
    Running,
}

/// A Host: whether it is fenced, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    pub fenced: bool,
    pub generation: u8,
}

/// What a Host holds and knows of one Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guest {
    pub domain: Domain,
    pub disk: bool,
    /// The node role's cache.
    pub cache: Option<Record>,
}

/// A machine and its node role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    /// Its Host, as the API server has it.
    pub host: Fence,
    pub powered: bool,
    /// `Some`: the node role runs; what it knows of its Host.
    pub role: Option<Fence>,
    /// Nothing of it reaches the API server.
    pub cut: bool,
    /// The manager counts it as alive.
    pub heard: bool,
    /// The Host in the manager's cache.
    pub seen: Fence,
    pub guests: Vec<Guest>,
}

impl Machine {
    pub fn role_reaches_api(&self) -> bool {
        self.powered && self.role.is_some() && !self.cut
    }
}

/// A write on its way to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Write {
    /// The manager's, on condition of the version.
    Bind { server: u8, version: u8, host: u8, claim: u8 },
    /// The node role's, before it starts a guest: by uid alone.
    Claim { server: u8, by: u8, claim: u8 },
    /// The node role's status: by uid alone.
    Report { server: u8, by: u8, launched: bool, echoed: bool },
    /// The finalizer of a Server whose guest is gone, on condition of the version. `by`: `None` is the manager.
    Gone { server: u8, version: u8, by: Option<u8> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// What the API server holds.
    pub servers: Vec<Option<Record>>,
    /// The manager's cache.
    pub cached: Vec<Option<Record>>,
    pub machines: Vec<Machine>,
    pub writes: Vec<Write>,
    pub faults_left: u8,
    pub fences_left: u8,
    /// A disk was removed that was in use.
    pub lost: bool,
}
