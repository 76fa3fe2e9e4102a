//! libvirt behind the trait [`Hypervisor`]: the only user of the `virt` crate, the only unsafe code.
//!
//! ```text
//!   async callers ── call (4 at once, each with a deadline) ──► blocking threads ──► domain/ network/ facts
//!                                                                       │
//!   Config ── link (one thread: connect, wait, reconnect) ── Session ◄──┘
//!                        │
//!   event_loop (one thread a process) ── callback ──► sinks of `subscribe`
//! ```
//!
//! libvirt's client library blocks, so every call runs on a blocking thread. Its events need a loop that runs before the
//! first connection is opened. When libvirtd goes away, calls fail at once with [`ErrorClass::Unreachable`] until the
//! link is back; guests do not notice.

mod accelerator;
mod call;
mod callback;
mod domain;
mod error;
mod event_loop;
mod facts;
mod job;
mod link;
mod network;
mod nwfilter;
mod session;

use std::{path::PathBuf, sync::Arc, time::Duration};

use ostler_crds::host::Accelerator;
use ostler_hypervisor::{
    CopyState, DiskCopy, GuestEvent, GuestId, HostFacts, Hypervisor, HypervisorError, HypervisorStep, ObservedDomain,
    ObservedNetwork,
};

pub use self::accelerator::{Evidence, KvmDevice, choose as choose_accelerator};
use self::{call::Caller, link::Link};

/// How to reach libvirt, and what libvirt does not know.
#[derive(Debug, Clone)]
pub struct Config {
    /// libvirt's URI, for example `qemu+unix:///system?socket=/run/libvirt/libvirt-sock`.
    pub uri: String,
    /// The folder that holds the guests' disks; its file system's size is the host's disk capacity.
    pub state_dir: PathBuf,
    /// How guests run; `None`: KVM where it is proven, the translator otherwise.
    pub accelerator: Option<Accelerator>,
}

/// The real hypervisor.
pub struct LibvirtHypervisor {
    config: Config,
    link: Arc<Link>,
    caller: Caller,
}

/// Deadline of a question, and of a step that libvirt answers at once.
const QUICK: Duration = Duration::from_secs(30);
/// Deadline of a step that waits for QEMU to start or to end.
const SLOW: Duration = Duration::from_secs(120);
/// Deadline of a step that writes or reads all memory of a guest. One that takes longer goes on; it is seen next time.
const MEMORY: Duration = Duration::from_secs(600);

impl LibvirtHypervisor {
    /// Starts to connect, and returns at once, whether or not libvirtd is there.
    ///
    /// Fails only when the process cannot have libvirt's event loop or a thread. The methods need a Tokio runtime.
    pub fn connect(config: Config) -> Result<Self, HypervisorError> {
        event_loop::ensure()?;
        let link = Link::start(config.uri.clone())?;
        Ok(Self { config, caller: Caller::new(link.clone()), link })
    }
}

impl Drop for LibvirtHypervisor {
    fn drop(&mut self) {
        self.link.stop();
    }
}

impl Hypervisor for LibvirtHypervisor {
    async fn host(&self) -> Result<HostFacts, HypervisorError> {
        let config = self.config.clone();
        self.caller.call(QUICK, move |session| facts::host(session, &config)).await
    }

    async fn observe(&self, guest: GuestId) -> Result<Option<ObservedDomain>, HypervisorError> {
        self.caller.call(QUICK, move |session| domain::observe::one(session, guest)).await
    }

    async fn observe_all(&self) -> Result<Vec<ObservedDomain>, HypervisorError> {
        self.caller.call(QUICK, domain::observe::all).await
    }

    async fn observe_networks(&self) -> Result<Vec<ObservedNetwork>, HypervisorError> {
        self.caller.call(QUICK, network::running).await
    }

    async fn execute(&self, step: &HypervisorStep) -> Result<(), HypervisorError> {
        let step = step.clone();
        let limit = match step {
            // Restores memory that was saved, too.
            HypervisorStep::Save(_) | HypervisorStep::Start(_) => MEMORY,
            HypervisorStep::Destroy(_) | HypervisorStep::Undefine(_) => SLOW,
            HypervisorStep::EnsureNetwork(_)
            | HypervisorStep::ReserveAddress { .. }
            | HypervisorStep::ReleaseAddress { .. }
            | HypervisorStep::EnsureFilter(_)
            | HypervisorStep::Define(_)
            | HypervisorStep::Shutdown(_)
            | HypervisorStep::Reboot(_)
            | HypervisorStep::Pause(_)
            | HypervisorStep::DiscardSaved(_)
            | HypervisorStep::SetPassword { .. } => QUICK,
        };
        let locks = self.caller.network_lock();
        self.caller
            .call(limit, move |session| match &step {
                HypervisorStep::EnsureNetwork(definition) => {
                    let _guard = network::lock(&locks);
                    network::ensure::ensure(session, definition)
                }
                HypervisorStep::ReserveAddress { network, mac, address } => {
                    let _guard = network::lock(&locks);
                    network::reserve::reserve(session, network, mac, *address)
                }
                HypervisorStep::ReleaseAddress { network, mac } => {
                    let _guard = network::lock(&locks);
                    network::reserve::release(session, network, mac)
                }
                HypervisorStep::EnsureFilter(definition) => nwfilter::ensure(session, definition),
                HypervisorStep::Define(definition) => domain::define::define(session, definition),
                HypervisorStep::Start(guest) => domain::power::start(session, *guest),
                HypervisorStep::Shutdown(guest) => domain::power::shutdown(session, *guest),
                HypervisorStep::Reboot(guest) => domain::power::reboot(session, *guest),
                HypervisorStep::Destroy(guest) => domain::power::destroy(session, *guest),
                HypervisorStep::Undefine(guest) => domain::define::undefine(session, *guest),
                HypervisorStep::Pause(guest) => domain::save::pause(session, *guest),
                HypervisorStep::Save(guest) => domain::save::save(session, *guest),
                HypervisorStep::DiscardSaved(guest) => domain::save::discard(session, *guest),
                HypervisorStep::SetPassword { guest, user, hash } => domain::password::set(session, *guest, user, hash),
            })
            .await
    }

    async fn begin_copy(&self, copy: &DiskCopy) -> Result<(), HypervisorError> {
        let copy = copy.clone();
        self.caller.call(SLOW, move |session| domain::copy::begin(session, &copy)).await
    }

    async fn copy_state(&self, guest: GuestId) -> Result<CopyState, HypervisorError> {
        self.caller.call(QUICK, move |session| domain::copy::state(session, guest)).await
    }

    async fn end_copy(&self, guest: GuestId) -> Result<(), HypervisorError> {
        self.caller.call(SLOW, move |session| domain::copy::end(session, guest)).await
    }

    fn subscribe(&self, sink: Box<dyn Fn(GuestEvent) + Send + Sync>) {
        self.link.subscribe(sink);
    }
}
