//! Images that are to be made of guests: each guest's disk is copied into the guest's folder and uploaded to the OpenStack
//! front, one image after the other, in a task beside the passes. A pass sees the manager's orders, starts the task, and
//! tells of it.
//!
//! ```text
//!   order ──► tidy ──► copy (running: the hypervisor's job; off: qemu-img) ──► upload ──► told, order taken back
//!              ▲                  │ a failure that passes                        │
//!              └──────────────────┴──────────────────────────────────────────────┘
//! ```
//!
//! A task that a crash cut off begins anew: the mark in the guest's folder says that something may be left of it. An order
//! that is taken back, or whose Server is being deleted, ends its task, which leaves nothing behind.

mod copy;
mod failure;
mod task;
mod upload;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ostler_crds::{
    Server,
    server::{FailedSnapshot, SnapshotOrder, state::TaskState},
};
use ostler_engine::guest::{Copying, Identity};
use ostler_hypervisor::{GuestId, Hypervisor};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::failure::Failed;
use super::{
    metrics::Metrics,
    signals::Signals,
    storage::{Storage, shim::ShimSource},
    watch::Servers,
};

/// Disks that are copied or uploaded at once on a host.
const AT_ONCE: usize = 2;
/// How long a deletion waits for a task to end before it is tried again.
const ENDING: Duration = Duration::from_secs(30);

/// The tasks of this host.
pub struct Snapshots<H>(Arc<Shared<H>>);

struct Shared<H> {
    hypervisor: Arc<H>,
    storage: Arc<Storage>,
    front: ShimSource,
    servers: Servers,
    signals: Signals,
    metrics: Metrics,
    turns: Semaphore,
    all: Mutex<HashMap<String, Entry>>,
}

/// What is known of one Server's images.
#[derive(Default)]
struct Entry {
    work: Option<Work>,
    /// By the Image's uid, for as long as the order stands.
    ended: HashMap<String, Result<(), Failed>>,
    /// What an earlier process may have left was looked for.
    tidied: bool,
}

struct Work {
    phase: Phase,
    stop: CancellationToken,
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It removes what a crash left, or waits for its turn.
    Preparing,
    /// The hypervisor copies the disk.
    Copying,
    /// The disk is read as it lies on the host: nobody may write to it.
    Reading,
    /// The copy is uploaded.
    Uploading,
}

/// What a task is about.
#[derive(Clone)]
struct Subject {
    /// The Server's uid.
    uid: String,
    namespace: String,
    guest: GuestId,
    /// Most bytes that a copy may take.
    most: u64,
    /// `None`: only tidy up.
    order: Option<SnapshotOrder>,
}

impl<H: Hypervisor> Snapshots<H> {
    /// Copies what orders ask for.
    pub fn new(
        hypervisor: Arc<H>,
        storage: Arc<Storage>,
        front: ShimSource,
        servers: Servers,
        signals: Signals,
        metrics: Metrics,
    ) -> Self {
        let (turns, all) = (Semaphore::new(AT_ONCE), Mutex::default());
        Self(Arc::new(Shared { hypervisor, storage, front, servers, signals, metrics, turns, all }))
    }

    /// Sees a Server's orders, begins the next one if none is under way, and says how they stand.
    pub fn see(&self, id: &Identity, server: &Server) -> Copying {
        let status = server.status.clone().unwrap_or_default();
        let orders = if server.metadata.deletion_timestamp.is_none() { status.snapshots } else { Vec::new() };
        let mut all = self.0.all();
        let entry = all.entry(id.owner.uid.clone()).or_default();
        entry.ended.retain(|uid, _| orders.iter().any(|order| order.uid == *uid));
        if entry.work.is_none() {
            let next = orders.iter().find(|order| !entry.ended.contains_key(&order.uid)).cloned();
            if next.is_some() || !std::mem::replace(&mut entry.tidied, true) {
                let stop = CancellationToken::new();
                entry.work = Some(Work { phase: Phase::Preparing, stop: stop.clone() });
                let virtual_size = status.image.as_ref().map_or(0, |image| image.virtual_size);
                let disk = status.flavor.as_ref().map_or(0, |flavor| flavor.footprint(virtual_size).disk_gib << 30);
                let subject = Subject {
                    uid: id.owner.uid.clone(),
                    namespace: id.owner.namespace.clone(),
                    guest: id.guest,
                    most: disk,
                    order: next,
                };
                tokio::spawn(task::run(Arc::clone(&self.0), subject, stop));
            }
        }
        let open = orders.iter().any(|order| !entry.ended.contains_key(&order.uid));
        let uploading = entry.work.as_ref().is_some_and(|work| work.phase == Phase::Uploading);
        let task = if uploading { TaskState::ImageUploading } else { TaskState::ImageSnapshot };
        Copying { task: open.then_some(task), failed: failed(&orders, &entry.ended) }
    }

    /// Whether the guest's disk is being read where it lies, so that nobody may write to it.
    pub fn reads_disk(&self, uid: &str) -> bool {
        self.0.all().get(uid).and_then(|entry| entry.work.as_ref()).is_some_and(|work| work.phase == Phase::Reading)
    }

    /// Ends whatever is under way for a Server that is being deleted. Says whether it has ended; if not, ask again.
    pub async fn quit(&self, uid: &str) -> bool {
        let over = async {
            while let Some(stop) = self.stop_of(uid) {
                stop.cancel();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(ENDING, over).await.is_ok()
    }

    fn stop_of(&self, uid: &str) -> Option<CancellationToken> {
        self.0.all().get(uid).and_then(|entry| entry.work.as_ref()).map(|work| work.stop.clone())
    }

    /// Forgets all of whom `exists` does not know.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.0.all().retain(|uid, entry| entry.work.is_some() || exists(uid));
    }
}

fn failed(orders: &[SnapshotOrder], ended: &HashMap<String, Result<(), Failed>>) -> Vec<FailedSnapshot> {
    let of = |order: &SnapshotOrder| {
        let failed = ended.get(&order.uid)?.as_ref().err()?;
        Some(FailedSnapshot { uid: order.uid.clone(), reason: failed.reason().to_owned(), message: failed.message() })
    };
    orders.iter().filter_map(of).collect()
}

impl<H> Shared<H> {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
