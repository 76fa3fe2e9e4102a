//! A hypervisor that is only a model: domains with states, networks with reservations, and faults on demand.
//!
//! It keeps the contract that the real one keeps (the suite in [`contract`](crate::contract) runs over both), answers at
//! once, and needs no runtime. Time passes only where a test says so: a guest shuts down when asked, or, after
//! [`ModelHypervisor::set_guests_obey`]`(false)`, when [`ModelHypervisor::power_off`] is called.

mod faults;
mod model;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ostler_crds::host::{Accelerator, Resources};

use self::{faults::Faults, model::Model};
use crate::{
    CopyState, DiskCopy, DomainState, ErrorClass, GuestEvent, GuestId, HostFacts, Hypervisor, HypervisorError,
    HypervisorStep, ObservedDomain, ObservedNetwork, PasswordHash,
};

type Sink = Box<dyn Fn(GuestEvent) + Send + Sync>;

/// The model, behind the same trait as the real hypervisor.
pub struct ModelHypervisor {
    facts: HostFacts,
    model: Mutex<Model>,
    faults: Mutex<Faults>,
    sinks: Mutex<Vec<Sink>>,
}

impl Default for ModelHypervisor {
    /// A machine with 8 processors, 16 GiB of memory, 100 GiB of disk and no KVM.
    fn default() -> Self {
        Self::new(HostFacts {
            capacity: Resources { vcpus: 8, memory_mib: 16384, disk_gib: 100 },
            accelerator: Accelerator::Tcg,
            libvirt_version: "9.0.0".into(),
            qemu_version: "7.2.0".into(),
        })
    }
}

impl ModelHypervisor {
    /// An empty, reachable hypervisor on a machine with these facts.
    pub fn new(facts: HostFacts) -> Self {
        Self { facts, model: Mutex::default(), faults: Mutex::default(), sinks: Mutex::default() }
    }

    /// Whether it answers. While it does not, everything fails with [`ErrorClass::Unreachable`]; its guests run on.
    pub fn set_reachable(&self, reachable: bool) {
        let changed = lock(&self.faults).set_reachable(reachable);
        if changed {
            self.tell(if reachable { GuestEvent::Resync } else { GuestEvent::Disconnected });
        }
    }

    /// Lets the next steps fail before they do anything.
    pub fn fail_next(&self, steps: u32, class: ErrorClass) {
        lock(&self.faults).fail_next(steps, class);
    }

    /// Lets the next steps do their work but answer with [`ErrorClass::Timeout`].
    pub fn lose_answers(&self, steps: u32) {
        lock(&self.faults).lose_answers(steps);
    }

    /// Lets every step fail before it does anything for which `fault` names a class, until set anew.
    pub fn fail_where(&self, fault: impl Fn(&HypervisorStep) -> Option<ErrorClass> + Send + Sync + 'static) {
        lock(&self.faults).fail_where(Box::new(fault));
    }

    /// Whether guests shut down at once when asked (they do, unless told otherwise).
    pub fn set_guests_obey(&self, obey: bool) {
        lock(&self.model).guests_disobey = !obey;
    }

    /// The guest powers itself off. Nothing happens when it is not running.
    pub fn power_off(&self, guest: GuestId) {
        self.stop(guest, DomainState::Off);
    }

    /// The guest's QEMU dies. Nothing happens when it is not running.
    pub fn crash(&self, guest: GuestId) {
        self.stop(guest, DomainState::Crashed);
    }

    /// The guest's processors stand still. Nothing happens when it is not running.
    pub fn pause(&self, guest: GuestId) {
        self.stop(guest, DomainState::Paused);
    }

    /// The guest's disk has to grow and cannot. Nothing happens when it is not running.
    pub fn starve(&self, guest: GuestId) {
        self.stop(guest, DomainState::NoSpace);
    }

    /// The copy of the guest's disk that is under way ends. Nothing happens when there is none.
    pub fn finish_copy(&self, guest: GuestId, end: CopyState) {
        lock(&self.model).finish_copy(guest, end);
    }

    /// Puts a domain there that is not Ostler's, with this guest's UUID and name.
    pub fn add_foreign_domain(&self, guest: GuestId, state: DomainState) {
        lock(&self.model).add_foreign_domain(guest, state);
    }

    /// Puts a network there that is not Ostler's.
    pub fn add_foreign_network(&self, name: &str) {
        lock(&self.model).add_foreign_network(name);
    }

    /// The reservations of a network, by MAC; empty when there is no such network.
    pub fn reservations(&self, network: &str) -> BTreeMap<String, Ipv4Addr> {
        lock(&self.model).reservations(network)
    }

    /// Names of the networks.
    pub fn networks(&self) -> Vec<String> {
        lock(&self.model).network_names()
    }

    /// How often the guest was started or rebooted since it was defined; 0 when there is none. A guest that was left
    /// alone keeps its number.
    pub fn boots(&self, guest: GuestId) -> u32 {
        lock(&self.model).boots(guest)
    }

    /// The hash of the account's password, if one was set since the guest was defined.
    pub fn password(&self, guest: GuestId, user: &str) -> Option<PasswordHash> {
        lock(&self.model).password(guest, user)
    }

    /// How many steps were asked for, failed ones included.
    pub fn steps_asked(&self) -> u64 {
        lock(&self.faults).asked
    }

    fn stop(&self, guest: GuestId, state: DomainState) {
        let stopped = lock(&self.model).stop(guest, state);
        if stopped {
            self.tell(GuestEvent::Changed(guest));
        }
    }

    /// Sinks are called without any lock of the model, so they may ask it.
    fn tell(&self, event: GuestEvent) {
        for sink in lock(&self.sinks).iter() {
            sink(event);
        }
    }

    fn perform(&self, step: &HypervisorStep) -> Result<(), HypervisorError> {
        let lost = lock(&self.faults).before(step)?;
        let changed = lock(&self.model).execute(step)?;
        if let Some(guest) = changed {
            self.tell(GuestEvent::Changed(guest));
        }
        if lost { Err(HypervisorError::new(ErrorClass::Timeout, "the answer was lost")) } else { Ok(()) }
    }
}

impl Hypervisor for ModelHypervisor {
    async fn host(&self) -> Result<HostFacts, HypervisorError> {
        lock(&self.faults).reach()?;
        Ok(self.facts.clone())
    }

    async fn observe(&self, guest: GuestId) -> Result<Option<ObservedDomain>, HypervisorError> {
        lock(&self.faults).reach()?;
        Ok(lock(&self.model).observe(guest))
    }

    async fn observe_all(&self) -> Result<Vec<ObservedDomain>, HypervisorError> {
        lock(&self.faults).reach()?;
        Ok(lock(&self.model).observe_all())
    }

    async fn observe_networks(&self) -> Result<Vec<ObservedNetwork>, HypervisorError> {
        lock(&self.faults).reach()?;
        Ok(lock(&self.model).observe_networks())
    }

    async fn execute(&self, step: &HypervisorStep) -> Result<(), HypervisorError> {
        self.perform(step)
    }

    async fn begin_copy(&self, copy: &DiskCopy) -> Result<(), HypervisorError> {
        lock(&self.faults).reach()?;
        lock(&self.model).begin_copy(copy.guest)
    }

    async fn copy_state(&self, guest: GuestId) -> Result<CopyState, HypervisorError> {
        lock(&self.faults).reach()?;
        Ok(lock(&self.model).copy_state(guest))
    }

    async fn end_copy(&self, guest: GuestId) -> Result<(), HypervisorError> {
        lock(&self.faults).reach()?;
        lock(&self.model).end_copy(guest)
    }

    fn subscribe(&self, sink: Sink) {
        sink(if lock(&self.faults).reach().is_ok() { GuestEvent::Resync } else { GuestEvent::Disconnected });
        lock(&self.sinks).push(sink);
    }
}

/// A test that panicked elsewhere does not hide what the model holds.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
