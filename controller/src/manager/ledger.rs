//! What is given out: resources of Hosts and addresses of Networks, by Server. The book is what the Servers' status
//! says, kept up by the watch, plus the bindings that are on their way to the API server.

use std::collections::{HashMap, HashSet};

use kube::{Resource, runtime::reflector::ObjectRef};
use ostler_crds::{Server, ServerStatus, host::Resources, quota::Usage, server::ServerAddress};
use ostler_engine::{
    allocate::{Book, NoAddress},
    quota,
    resolve::Resolved,
};

/// What one Server holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holding {
    /// `None`: it is off its host and holds its addresses only.
    host: Option<String>,
    resources: Resources,
    addresses: Vec<ServerAddress>,
    /// Whose quota it is taken of, and how much.
    project: String,
    size: Usage,
    /// The API server has confirmed it.
    confirmed: bool,
    /// What it will hold once a change that is on its way is confirmed.
    expected: Option<Taken>,
}

/// What a Server takes of its Host and of its project's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    resources: Resources,
    size: Usage,
}

impl Taken {
    fn of(status: &ServerStatus) -> Self {
        // A shelved one takes no room.
        let resources = if status.host.is_some() { status.footprint() } else { Resources::default() };
        Self { resources, size: status.flavor.as_ref().map(quota::size).unwrap_or_default() }
    }

    /// Enough for either.
    fn or(self, other: Self) -> Self {
        let (a, b) = (self.resources, other.resources);
        let resources = Resources {
            vcpus: a.vcpus.max(b.vcpus),
            memory_mib: a.memory_mib.max(b.memory_mib),
            disk_gib: a.disk_gib.max(b.disk_gib),
        };
        let (a, b) = (self.size, other.size);
        let size = Usage {
            instances: a.instances.max(b.instances),
            cores: a.cores.max(b.cores),
            memory_mib: a.memory_mib.max(b.memory_mib),
        };
        Self { resources, size }
    }
}

/// Who holds what.
#[derive(Debug, Default)]
pub struct Ledger {
    book: Book,
    holdings: HashMap<String, Holding>,
    by_host: HashMap<String, Resources>,
    by_project: HashMap<String, Usage>,
    /// Servers without a Host, and those that are being deleted.
    waiting: HashSet<ObjectRef<Server>>,
    /// While a list comes in: the uids in it so far.
    listed: Option<HashSet<String>>,
}

impl Ledger {
    /// A new list of all Servers begins; deletions in the gap before it were not seen.
    pub fn begin_list(&mut self) {
        self.listed = Some(HashSet::new());
        self.waiting.clear();
    }

    /// The list is whole: what it does not name is gone, but for bindings on their way.
    pub fn end_list(&mut self) {
        let Some(listed) = self.listed.take() else { return };
        let gone: Vec<_> = self
            .holdings
            .iter()
            .filter(|(uid, h)| h.confirmed && !listed.contains(*uid))
            .map(|(u, _)| u.clone())
            .collect();
        for uid in gone {
            self.release(&uid);
        }
    }

    /// Takes over what a Server's status says.
    pub fn note(&mut self, server: &Server) {
        let key = ObjectRef::from_obj(server);
        let Some(uid) = server.meta().uid.clone() else { return };
        if let Some(listed) = &mut self.listed {
            listed.insert(uid.clone());
        }
        let status = server.status.clone().unwrap_or_default();
        // One that is being deleted waits for its Host, or for the Host to be deleted.
        if status.host.is_none() || server.meta().deletion_timestamp.is_some() {
            self.waiting.insert(key);
        } else {
            self.waiting.remove(&key);
        }
        // One that was never placed holds nothing, and its binding may be on its way; a shelved one was.
        if status.host.is_none() && status.shelf.is_none() {
            return;
        }
        let shown = Taken::of(&status);
        let expected = self.holdings.get(&uid).and_then(|h| h.expected).filter(|e| *e != shown);
        let Taken { resources, size } = expected.map_or(shown, |e| e.or(shown));
        let holding = Holding {
            host: status.host,
            resources,
            project: server.meta().namespace.clone().unwrap_or_default(),
            size,
            addresses: status.addresses,
            confirmed: true,
            expected,
        };
        if self.holdings.get(&uid) != Some(&holding) {
            self.release(&uid);
            self.hold(uid, holding);
        }
    }

    /// Forgets a Server that is gone.
    pub fn forget(&mut self, server: &Server) {
        self.waiting.remove(&ObjectRef::from_obj(server));
        if let Some(uid) = &server.meta().uid {
            self.release(uid);
        }
    }

    /// What the Server holds of its Host, and of its project's quota.
    pub fn taken(&self, uid: &str) -> (Resources, Usage) {
        self.holdings.get(uid).map(|h| (h.resources, h.size)).unwrap_or_default()
    }

    /// The Server will hold what `next` says. Counted at once, and until it is seen or given up.
    pub fn expect(&mut self, server: &Server, next: &ServerStatus) {
        let now = server.status.as_ref().map(Taken::of);
        let expected = Some(Taken::of(next)).filter(|next| Some(*next) != now);
        let uid = server.meta().uid.clone().unwrap_or_default();
        if let Some(holding) = self.holdings.get_mut(&uid).filter(|h| h.expected != expected) {
            holding.expected = expected;
            self.note(server);
        }
    }

    /// Whether the Server holds room of a Host already, be it confirmed or on its way.
    pub fn holds(&self, uid: &str) -> bool {
        self.holdings.get(uid).is_some_and(|h| h.host.is_some())
    }

    /// The Host that a Server is bound to, be it confirmed or on its way.
    pub fn host_of(&self, uid: &str) -> Option<&str> {
        self.holdings.get(uid).and_then(|h| h.host.as_deref())
    }

    /// What is held of a Host.
    pub fn held(&self, host: &str) -> Resources {
        self.by_host.get(host).copied().unwrap_or_default()
    }

    /// What is taken of a project's quota.
    pub fn used(&self, project: &str) -> Usage {
        self.by_project.get(project).copied().unwrap_or_default()
    }

    /// How many addresses of a Network are held.
    pub fn addresses_in_use(&self, network: &str) -> u64 {
        self.book.in_use(network)
    }

    /// Servers that wait for something else to change: those that have no Host yet, and those that are being deleted.
    pub fn waiting(&self) -> impl Iterator<Item = ObjectRef<Server>> + '_ {
        self.waiting.iter().cloned()
    }

    /// Holds resources of `host`, of the project's quota, and an address for each interface, all or nothing.
    pub fn take(
        &mut self,
        uid: &str,
        host: &str,
        project: &str,
        resolved: &Resolved,
    ) -> Result<Vec<ServerAddress>, NoAddress> {
        let interfaces = &resolved.interfaces;
        let mut addresses: Vec<ServerAddress> = Vec::with_capacity(interfaces.len());
        for interface in interfaces {
            match self.book.take(&interface.network, &interface.pool, interface.asked, uid) {
                Ok((address, mac)) => addresses.push(ServerAddress {
                    network: interface.network.clone(),
                    label: interface.label.clone(),
                    mac,
                    address: address.to_string(),
                    prefix_length: interface.pool.net.prefix_len(),
                    gateway: Some(interface.pool.gateway.to_string()),
                    dns_servers: interface.pool.dns_servers.iter().map(ToString::to_string).collect(),
                    mtu: interface.mtu,
                }),
                Err(error) => {
                    self.give_back(uid, &addresses);
                    return Err(error);
                }
            }
        }
        let holding = Holding {
            host: Some(host.to_owned()),
            resources: resolved.request.resources,
            project: project.to_owned(),
            size: quota::size(&resolved.flavor),
            addresses: addresses.clone(),
            confirmed: false,
            expected: None,
        };
        self.count(&holding, true);
        self.holdings.insert(uid.to_owned(), holding);
        Ok(addresses)
    }

    /// Holds room of `host` alone, for a Server that keeps its addresses. `cancel` gives it back.
    pub fn promise(&mut self, name: &str, host: &str, resources: Resources) {
        self.cancel(name);
        let holding = Holding {
            host: Some(host.to_owned()),
            project: String::new(),
            resources,
            size: Usage::default(),
            addresses: vec![],
            confirmed: false,
            expected: None,
        };
        self.count(&holding, true);
        self.holdings.insert(name.to_owned(), holding);
    }

    /// Gives back a binding that the API server did not take. A confirmed one stays.
    pub fn cancel(&mut self, uid: &str) {
        if self.holdings.get(uid).is_some_and(|h| !h.confirmed) {
            self.release(uid);
        }
    }

    fn hold(&mut self, uid: String, holding: Holding) {
        for a in &holding.addresses {
            let other = a.address.parse().ok().and_then(|address| self.book.hold(&a.network, address, &a.mac, &uid));
            if let Some(other) = other {
                tracing::error!(network = a.network, address = a.address, uid, other, "two Servers hold one address");
            }
        }
        self.count(&holding, true);
        self.holdings.insert(uid, holding);
    }

    fn release(&mut self, uid: &str) {
        if let Some(holding) = self.holdings.remove(uid) {
            self.give_back(uid, &holding.addresses);
            self.count(&holding, false);
        }
    }

    fn give_back(&mut self, uid: &str, addresses: &[ServerAddress]) {
        for a in addresses {
            if let Ok(address) = a.address.parse() {
                self.book.release(&a.network, address, &a.mac, uid);
            }
        }
    }

    fn count(&mut self, holding: &Holding, more: bool) {
        if let Some(host) = &holding.host {
            let sum = self.by_host.entry(host.clone()).or_default();
            let add = |a: u64, b: u64| if more { a + b } else { a.saturating_sub(b) };
            sum.vcpus = add(sum.vcpus, holding.resources.vcpus);
            sum.memory_mib = add(sum.memory_mib, holding.resources.memory_mib);
            sum.disk_gib = add(sum.disk_gib, holding.resources.disk_gib);
        }
        let used = self.by_project.entry(holding.project.clone()).or_default();
        *used = if more { used.plus(holding.size) } else { used.minus(holding.size) };
        if *used == Usage::default() {
            self.by_project.remove(&holding.project);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use ostler_crds::{
        ServerSpec, ServerStatus,
        image::DiskFormat,
        network::Subnet,
        server::{ResolvedFlavor, ResolvedImage},
    };
    use ostler_engine::{allocate::Pool, resolve::Interface, schedule::Request};

    use super::*;

    fn lan() -> Interface {
        let subnet = Subnet { cidr: "10.0.0.0/29".into(), gateway: None, dns_servers: None, pool: None };
        let pool = Pool::new(&subnet).unwrap();
        Interface { network: "lan".into(), label: "lan".into(), pool, mtu: None, asked: None }
    }

    fn one() -> Resources {
        Resources { vcpus: 1, memory_mib: 128, disk_gib: 1 }
    }

    fn wish(interfaces: &[Interface]) -> Resolved {
        let flavor = ResolvedFlavor {
            name: "small".into(),
            id: "1".into(),
            display_name: "small".into(),
            vcpus: 1,
            memory_mib: 64,
            disk_gib: 1,
            extra_specs: Default::default(),
        };
        let image = ResolvedImage {
            namespace: "n".into(),
            name: "tiny".into(),
            id: "2".into(),
            sha256: String::new(),
            disk_format: DiskFormat::Raw,
            size: 1,
            virtual_size: 1,
            url: None,
        };
        let request = Request { resources: one(), ..Default::default() };
        Resolved { flavor, image, key: None, interfaces: interfaces.to_vec(), request }
    }

    fn server(uid: &str, host: Option<&str>) -> Server {
        let mut s = Server::new(uid, ServerSpec::default());
        s.metadata.namespace = Some("n".into());
        s.metadata.uid = Some(uid.into());
        s.status = Some(ServerStatus { host: host.map(Into::into), ..Default::default() });
        s
    }

    #[test]
    fn a_binding_that_failed_gives_everything_back() {
        let mut l = Ledger::default();
        l.take("u", "h", "n", &wish(&[lan()])).unwrap();
        assert_eq!((l.held("h"), l.addresses_in_use("lan"), l.used("n")), (one(), 1, Usage::of(1, 1, 64)));
        l.cancel("u");
        assert_eq!((l.held("h"), l.addresses_in_use("lan"), l.used("n")), (Resources::default(), 0, Usage::default()));
    }

    #[test]
    fn a_confirmed_binding_is_counted_once_and_not_cancelled() {
        let mut l = Ledger::default();
        let addresses = l.take("u", "h", "n", &wish(&[lan()])).unwrap();
        let mut s = server("u", Some("h"));
        if let Some(status) = s.status.as_mut() {
            status.addresses = addresses;
        }
        l.note(&s);
        l.note(&s);
        l.cancel("u");
        assert_eq!(l.addresses_in_use("lan"), 1);
        l.forget(&s);
        assert_eq!((l.addresses_in_use("lan"), l.holds("u")), (0, false));
    }

    #[test]
    fn a_server_that_moves_is_counted_where_it_is() {
        let mut l = Ledger::default();
        let mut s = server("u", Some("h"));
        l.note(&s);
        l.promise("move/u", "h2", one());
        assert_eq!((l.held("h"), l.held("h2")), (s.status.as_ref().unwrap().footprint(), one()));
        s.status.as_mut().unwrap().host = Some("h2".into());
        l.note(&s);
        l.cancel("move/u");
        assert_eq!((l.held("h"), l.held("h2")), (Resources::default(), Resources::default()));
        assert!(l.holds("u") && !l.holds("move/u"));
    }

    #[test]
    fn a_change_on_its_way_is_counted_at_once_and_until_it_is_there_or_given_up() {
        let sized = |memory_mib| {
            let mut s = server("u", Some("h"));
            s.status.as_mut().unwrap().flavor = Some(ResolvedFlavor { memory_mib, ..wish(&[]).flavor });
            s
        };
        let (small, large) = (sized(128), sized(512));
        let status = |s: &Server| s.status.clone().unwrap();
        let mut l = Ledger::default();
        l.note(&small);
        l.expect(&small, &status(&large));
        l.note(&small);
        assert_eq!(l.held("h"), status(&large).footprint(), "a late event does not give it back");
        assert_eq!(l.used("n").memory_mib, 512);
        l.note(&large);
        l.note(&small);
        assert_eq!(l.held("h"), status(&small).footprint());
        l.expect(&small, &status(&large));
        l.expect(&small, &status(&small));
        assert_eq!((l.held("h"), l.used("n").memory_mib), (status(&small).footprint(), 128));
    }

    #[test]
    fn one_interface_without_an_address_takes_none_for_the_others() {
        let mut l = Ledger::default();
        let mut full = lan();
        full.network = "full".into();
        for i in 0..5 {
            l.take(&i.to_string(), "h", "n", &wish(std::slice::from_ref(&full))).unwrap();
        }
        assert!(l.take("u", "h", "n", &wish(&[lan(), full])).is_err());
        assert_eq!(l.addresses_in_use("lan"), 0);
        assert!(!l.holds("u"));
    }

    #[test]
    fn a_server_off_its_host_keeps_its_addresses_and_holds_nothing_else() {
        let mut l = Ledger::default();
        let addresses = l.take("u", "h", "n", &wish(&[lan()])).unwrap();
        let mut s = server("u", Some("h"));
        let kept = ostler_crds::server::ResolvedImage {
            namespace: "n".into(),
            name: "i".into(),
            id: "i".into(),
            sha256: String::new(),
            disk_format: ostler_crds::image::DiskFormat::Qcow2,
            size: 1,
            virtual_size: 1,
            url: None,
        };
        let status = s.status.as_mut().unwrap();
        status.addresses = addresses;
        status.shelf = Some(ostler_crds::server::Shelf { image: kept, host: None });
        l.note(&s);
        assert!(l.holds("u"));
        s.status.as_mut().unwrap().host = None;
        l.note(&s);
        assert_eq!((l.held("h"), l.addresses_in_use("lan"), l.holds("u")), (Resources::default(), 1, false));
        assert_eq!(l.waiting().count(), 1);
        l.forget(&s);
        assert_eq!(l.addresses_in_use("lan"), 0);
    }

    #[test]
    fn a_server_that_a_new_list_does_not_name_holds_nothing() {
        let mut l = Ledger::default();
        l.note(&server("a", Some("h")));
        l.note(&server("b", Some("h")));
        l.begin_list();
        l.note(&server("b", Some("h")));
        l.end_list();
        assert_eq!((l.holds("a"), l.holds("b")), (false, true));
    }

    #[test]
    fn servers_without_a_host_wait_and_so_do_those_that_are_being_deleted() {
        let mut l = Ledger::default();
        l.note(&server("u", None));
        assert_eq!(l.waiting().count(), 1);
        let mut bound = server("u", Some("h"));
        l.note(&bound);
        assert_eq!(l.waiting().count(), 0);
        bound.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        l.note(&bound);
        assert_eq!(l.waiting().count(), 1);
        l.forget(&bound);
        assert_eq!(l.waiting().count(), 0);
    }
}
