//! Whose image is checked next: a few at once, and of one namespace never so many that the others have to wait for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Images that are checked at once.
const AT_ONCE: usize = 4;
/// How many of them may be of one namespace.
const OF_ONE_NAMESPACE: usize = 2;

/// Turns, given in the order in which they were asked for.
pub struct Turns {
    all: Arc<Semaphore>,
    namespaces: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A turn, which ends when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _namespace: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE)), namespaces: Mutex::default() }
    }
}

impl Turns {
    /// Waits for a turn.
    pub async fn enter(&self, namespace: &str) -> Turn {
        // The namespace's own limit comes first: no more than that many of it ever stand in the queue of all.
        let own = self.of(namespace);
        // The semaphores are never closed.
        let of_namespace = own.acquire_owned().await.ok();
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok();
        Turn { _namespace: of_namespace, _all: of_all }
    }

    fn of(&self, namespace: &str) -> Arc<Semaphore> {
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody has or waits for is forgotten.
        namespaces.retain(|_, s| Arc::strong_count(s) > 1);
        let new = || Arc::new(Semaphore::new(OF_ONE_NAMESPACE));
        Arc::clone(namespaces.entry(namespace.to_owned()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use futures::{FutureExt, poll};

    use super::*;

    #[tokio::test]
    async fn one_namespace_leaves_room_for_others() {
        let turns = Turns::default();
        let (first, _second) = (turns.enter("a").await, turns.enter("a").await);
        let mut third = std::pin::pin!(turns.enter("a"));
        assert!(poll!(&mut third).is_pending());
        let _others = (turns.enter("b").await, turns.enter("c").await);
        let mut fifth = std::pin::pin!(turns.enter("d"));
        assert!(poll!(&mut fifth).is_pending());
        drop(first);
        // Asked for before, but not in the queue of all: it stood behind its own namespace.
        let Poll::Ready(_fifth) = poll!(&mut fifth) else { panic!("there is room for another namespace") };
        assert!(poll!(&mut third).is_pending());
    }

    #[tokio::test]
    async fn a_turn_that_nobody_waits_for_any_more_goes_to_the_next() {
        let turns = Turns::default();
        let held = (turns.enter("a").await, turns.enter("a").await);
        assert!(turns.enter("a").now_or_never().is_none());
        drop(held);
        assert!(turns.enter("a").now_or_never().is_some());
        turns.enter("b").await;
        assert_eq!(turns.namespaces.lock().unwrap().len(), 1);
    }
}
