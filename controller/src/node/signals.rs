//! What the hypervisor told, until a pass is made of it. Signals of one guest are one, so that a guest which changes its
//! state all the time fills no memory.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{Stream, StreamExt, stream};
use ostler_hypervisor::{GuestEvent, GuestId};
use tokio::sync::Notify;

/// Signals that wait. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Signals(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    rung: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    resync: bool,
    changed: HashSet<GuestId>,
}

impl Signals {
    /// Takes a signal; never waits.
    pub fn tell(&self, event: GuestEvent) {
        match event {
            GuestEvent::Changed(guest) => drop(self.waiting().changed.insert(guest)),
            GuestEvent::Resync => self.waiting().resync = true,
            GuestEvent::Disconnected => return,
        }
        self.0.rung.notify_one();
    }

    /// All signals, in no order. Only one stream may be read at a time.
    pub fn stream(self) -> impl Stream<Item = GuestEvent> + Send {
        stream::unfold(self, |signals| async move {
            signals.0.rung.notified().await;
            let taken = std::mem::take(&mut *signals.waiting());
            let resync = taken.resync.then_some(GuestEvent::Resync);
            let events: Vec<_> = resync.into_iter().chain(taken.changed.into_iter().map(GuestEvent::Changed)).collect();
            Some((stream::iter(events), signals))
        })
        .flatten()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn many_signals_of_one_guest_are_one_and_none_is_lost() {
        let (signals, guest) = (Signals::default(), GuestId(Uuid::from_u128(1)));
        for _ in 0..1000 {
            signals.tell(GuestEvent::Changed(guest));
        }
        signals.tell(GuestEvent::Resync);
        let mut stream = std::pin::pin!(signals.clone().stream());
        assert_eq!(stream.next().await, Some(GuestEvent::Resync));
        assert_eq!(stream.next().await, Some(GuestEvent::Changed(guest)));
        signals.tell(GuestEvent::Changed(guest));
        assert_eq!(stream.next().await, Some(GuestEvent::Changed(guest)));
        assert!(futures::poll!(stream.next()).is_pending());
    }
}
