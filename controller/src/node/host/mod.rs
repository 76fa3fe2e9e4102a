//! The Host object of this machine: made here, its labels copied from the Node, its status kept up to date.

pub mod describe;
pub mod heartbeat;
mod publish;

use std::sync::{Mutex, PoisonError};

use ostler_crds::{host::HostEndpoint, names::DEFAULT_ZONE};
use ostler_hypervisor::HostFacts;
use tokio::sync::Notify;

pub use publish::run;

/// What is known of this machine, shared by all passes.
pub struct ThisHost {
    /// Where the streams are.
    pub endpoint: HostEndpoint,
    /// Rung when libvirt came or went.
    pub changed: Notify,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    facts: Option<HostFacts>,
    zone: Option<String>,
}

impl ThisHost {
    /// A machine of which nothing is known yet.
    pub fn new(endpoint: HostEndpoint) -> Self {
        Self { endpoint, changed: Notify::new(), known: Mutex::default() }
    }

    /// What libvirt said last.
    pub fn facts(&self) -> Option<HostFacts> {
        self.known().facts.clone()
    }

    /// Notes what libvirt says.
    pub fn learn(&self, facts: HostFacts) {
        self.known().facts = Some(facts);
    }

    /// The availability zone.
    pub fn zone(&self) -> String {
        self.known().zone.clone().unwrap_or_else(|| DEFAULT_ZONE.to_owned())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
