//! The Host object of this machine: made here, its labels copied from the Node, its status kept up to date.

mod boot;
pub mod describe;
pub mod heartbeat;
mod publish;

use std::sync::{Mutex, PoisonError};

use ostler_crds::{host::HostEndpoint, names::DEFAULT_ZONE};
use ostler_hypervisor::HostFacts;
use tokio::sync::{Notify, watch};

pub use publish::run;

/// What is known of this machine, shared by all passes.
pub struct ThisHost {
    /// Where the streams are.
    pub endpoint: HostEndpoint,
    /// Rung when libvirt came or went.
    pub changed: Notify,
    /// `spec.fenced`, once it was read.
    fenced: watch::Sender<Option<bool>>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    facts: Option<HostFacts>,
    zone: Option<String>,
    generation: i64,
}

impl ThisHost {
    /// A machine of which nothing is known yet.
    pub fn new(endpoint: HostEndpoint) -> Self {
        Self { endpoint, changed: Notify::new(), fenced: watch::Sender::new(None), known: Mutex::default() }
    }

    /// What libvirt said last.
    pub fn facts(&self) -> Option<HostFacts> {
        self.known().facts.clone()
    }

    /// Notes what libvirt says.
    pub fn learn(&self, facts: HostFacts) {
        self.known().facts = Some(facts);
    }

    /// `metadata.generation` of the Host when it was read last. Any fence of an earlier life of this process is older.
    pub fn generation(&self) -> i64 {
        self.known().generation
    }

    /// Whether this machine must run no guest. Unknown counts as not: [`Self::known_fence`] comes before all passes.
    pub fn is_fenced(&self) -> bool {
        *self.fenced.borrow() == Some(true)
    }

    /// Waits until the Host was read once.
    pub async fn known_fence(&self) {
        // The sender lives as long as this does.
        let _ = self.fenced.subscribe().wait_for(Option::is_some).await;
    }

    /// Notes what the Host says; whether that is a change.
    fn fence(&self, fenced: bool) -> bool {
        self.fenced.send_replace(Some(fenced)) != Some(fenced)
    }

    /// The availability zone.
    pub fn zone(&self) -> String {
        self.known().zone.clone().unwrap_or_else(|| DEFAULT_ZONE.to_owned())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
