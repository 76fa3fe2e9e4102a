//! The words in which Ostler speaks of a hypervisor, and what is made of them without one.
//!
//! ```text
//!   engine ── Step ──►┐                        ┌─► libvirt (the real one)
//!                     ├─ trait Hypervisor ─────┤
//!   engine ◄ Observed ┘                        └─► fake::ModelHypervisor (a small model, with faults on demand)
//! ```
//!
//! No IO and no clock in here but for the trait's implementors. [`domain_xml`], [`network_xml`], [`nwfilter_xml`] and [`config_drive`] turn
//! definitions into bytes; all are golden-tested. The feature `testing` adds the model and the contract suite.

pub mod config_drive;
#[cfg(any(test, feature = "testing"))]
pub mod contract;
pub mod definition;
pub mod disk_copy;
pub mod domain_xml;
pub mod error;
pub mod event;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
pub mod network_xml;
pub mod nwfilter_xml;
pub mod observed;
pub mod port_rules;
pub mod step;
pub mod xml;

pub use definition::{DomainDefinition, FilterDefinition, GuestId, NetworkDefinition, NicDefinition, Owner};
pub use disk_copy::{CopyState, DiskCopy};
pub use error::{ErrorClass, HypervisorError};
pub use event::GuestEvent;
pub use observed::{DomainState, HostFacts, ObservedDomain, ObservedNetwork};
pub use step::{HypervisorStep, KeptDisk, Origin, PasswordHash, Step, StorageStep};

use std::{future::Future, sync::Arc};

/// A hypervisor on this machine, in coarse verbs. One contract suite runs over every implementor.
pub trait Hypervisor: Send + Sync + 'static {
    /// What the machine is and has. Fails with [`ErrorClass::Unreachable`] while the hypervisor is away.
    fn host(&self) -> impl Future<Output = Result<HostFacts, HypervisorError>> + Send;

    /// The domain of one guest; `None` when there is none. A domain with the guest's UUID or name that is not Ostler's
    /// is returned with `owner: None` and never touched.
    fn observe(&self, guest: GuestId) -> impl Future<Output = Result<Option<ObservedDomain>, HypervisorError>> + Send;

    /// All domains that are Ostler's.
    fn observe_all(&self) -> impl Future<Output = Result<Vec<ObservedDomain>, HypervisorError>> + Send;

    /// All running networks that are Ostler's.
    fn observe_networks(&self) -> impl Future<Output = Result<Vec<ObservedNetwork>, HypervisorError>> + Send;

    /// Executes one step. Every step is idempotent: done twice, it leaves what it leaves done once.
    fn execute(&self, step: &HypervisorStep) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Begins to copy a disk of a running (or paused) guest, and returns. The guest's agent, if there is one that answers,
    /// has the guest write its caches to the disk before. A copy that is under way already is an error.
    fn begin_copy(&self, copy: &DiskCopy) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Where the copy of the guest's disk stands. A guest that is off has none.
    fn copy_state(&self, guest: GuestId) -> impl Future<Output = Result<CopyState, HypervisorError>> + Send;

    /// Has no copy of the guest's disk under way, and the guest not held by one that a crash cut off.
    fn end_copy(&self, guest: GuestId) -> impl Future<Output = Result<(), HypervisorError>> + Send;

    /// Calls `sink` for every change of a guest, and with [`GuestEvent::Resync`] whenever changes may have been missed.
    fn subscribe(&self, sink: Box<dyn Fn(GuestEvent) + Send + Sync>);
}

impl<H: Hypervisor> Hypervisor for Arc<H> {
    fn host(&self) -> impl Future<Output = Result<HostFacts, HypervisorError>> + Send {
        H::host(self)
    }

    fn observe(&self, guest: GuestId) -> impl Future<Output = Result<Option<ObservedDomain>, HypervisorError>> + Send {
        H::observe(self, guest)
    }

    fn observe_all(&self) -> impl Future<Output = Result<Vec<ObservedDomain>, HypervisorError>> + Send {
        H::observe_all(self)
    }

    fn observe_networks(&self) -> impl Future<Output = Result<Vec<ObservedNetwork>, HypervisorError>> + Send {
        H::observe_networks(self)
    }

    fn execute(&self, step: &HypervisorStep) -> impl Future<Output = Result<(), HypervisorError>> + Send {
        H::execute(self, step)
    }

    fn begin_copy(&self, copy: &DiskCopy) -> impl Future<Output = Result<(), HypervisorError>> + Send {
        H::begin_copy(self, copy)
    }

    fn copy_state(&self, guest: GuestId) -> impl Future<Output = Result<CopyState, HypervisorError>> + Send {
        H::copy_state(self, guest)
    }

    fn end_copy(&self, guest: GuestId) -> impl Future<Output = Result<(), HypervisorError>> + Send {
        H::end_copy(self, guest)
    }

    fn subscribe(&self, sink: Box<dyn Fn(GuestEvent) + Send + Sync>) {
        H::subscribe(self, sink);
    }
}
