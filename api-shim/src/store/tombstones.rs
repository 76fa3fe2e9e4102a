//! Servers that are gone: for lists with `changes-since` or `deleted`, and for the events of deleted servers. Kept in
//! memory by each replica from its start on, so a restart forgets them, and what is deleted while no replica looks is
//! never known. Bounded, and no project crowds out another.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use kube::ResourceExt;
use ostler_crds::{OpenStackId, Server};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use uuid::Uuid;

use super::compact::{DELETED, UPDATED, compact};
use crate::nova::instance_actions::record::Record;

/// Most kept, in all and of one project.
const KEPT: usize = 2000;
const KEPT_OF_ONE: usize = 200;
/// Most requests for a deletion that are remembered while the deletion goes on.
const ASKED: usize = 10_000;

/// Servers that are gone.
#[derive(Default)]
pub struct Tombstones(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// The oldest first.
    gone: VecDeque<Arc<Server>>,
    /// Who asked for a deletion, by uid.
    asked: HashMap<String, Record>,
}

impl Tombstones {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody asks for the deletion of the Server with this uid.
    pub fn ask(&self, uid: String, record: Record) {
        let mut inner = self.lock();
        if inner.asked.len() >= ASKED {
            inner.asked.clear();
        }
        inner.asked.entry(uid).or_insert(record);
    }

    /// Who asked for the deletion of the Server with this uid through this replica.
    pub fn deletion(&self, uid: &str) -> Option<Record> {
        self.lock().asked.get(uid).cloned()
    }

    /// The Server is gone.
    pub fn bury(&self, server: Server, now: Timestamp) {
        let mut server = compact(server);
        // The largest part by far, and nobody asks for it any more.
        server.spec.user_data = None;
        let annotations = server.metadata.annotations.get_or_insert_default();
        for key in [DELETED, UPDATED] {
            annotations.insert(key.to_owned(), now.to_string());
        }
        let mut inner = self.lock();
        let of_one = |s: &Arc<Server>| s.namespace() == server.namespace();
        if inner.gone.iter().filter(|s| of_one(s)).count() >= KEPT_OF_ONE
            && let Some(oldest) = inner.gone.iter().position(of_one)
        {
            inner.forget(oldest);
        }
        if inner.gone.len() >= KEPT {
            inner.forget(0);
        }
        inner.gone.push_back(Arc::new(server));
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<Arc<Server>> {
        self.lock().gone.iter().cloned().collect()
    }

    /// Those that had this OpenStack id.
    pub fn by_id(&self, id: Uuid) -> Vec<Arc<Server>> {
        let has = |s: &&Arc<Server>| OpenStackId::of(&s.metadata).is_ok_and(|i| i.uuid() == id);
        self.lock().gone.iter().filter(has).cloned().collect()
    }

    /// Buries what is deleted, until the watch ends.
    pub async fn follow(&self, mut deletions: Receiver<Arc<Server>>) {
        loop {
            match deletions.recv().await {
                Ok(server) => self.bury(Arc::unwrap_or_clone(server), Timestamp::now()),
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "deletions of Servers were not noted"),
                Err(RecvError::Closed) => return,
            }
        }
    }
}

impl Inner {
    fn forget(&mut self, position: usize) {
        if let Some(server) = self.gone.remove(position) {
            self.asked.remove(&server.uid().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{deleted_at, updated_at};

    fn server(project: &str, number: u128) -> Server {
        let mut server = Server::new("a", Default::default());
        server.metadata.namespace = Some(project.to_owned());
        server.metadata.uid = Some(Uuid::from_u128(number).to_string());
        server
    }

    #[test]
    fn a_server_that_is_gone_is_known_by_its_id_and_its_time() {
        let (tombstones, now) = (Tombstones::default(), Timestamp::from_second(9).unwrap());
        tombstones.bury(server("a", 1), now);
        let found = tombstones.by_id(Uuid::from_u128(1)).remove(0);
        assert_eq!((deleted_at(&found.metadata), updated_at(&found.metadata)), (Some(now), Some(now)));
        assert!(tombstones.by_id(Uuid::from_u128(2)).is_empty());
    }

    #[test]
    fn they_are_bounded_and_one_project_does_not_crowd_out_another() {
        let (tombstones, now) = (Tombstones::default(), Timestamp::UNIX_EPOCH);
        tombstones.bury(server("quiet", 1), now);
        for number in 2..3000 {
            tombstones.bury(server("busy", number), now);
        }
        assert_eq!(tombstones.all().len(), KEPT_OF_ONE + 1);
        assert_eq!(tombstones.by_id(Uuid::from_u128(1)).len(), 1);
        for number in 0..5000 {
            tombstones.bury(server(&format!("p{number}"), 10_000 + number), now);
        }
        assert_eq!(tombstones.all().len(), KEPT);
    }
}
