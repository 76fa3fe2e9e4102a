//! How many guests boot at once. A booting guest wants a whole processor for seconds; eighty at once were seen to take
//! a machine down, while a few at a time are faster in sum.

use std::{sync::Arc, time::Duration};

use ostler_crds::host::Accelerator;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a pass waits for its turn before it looks at its Server again, which may have been deleted meanwhile.
const PATIENCE: Duration = Duration::from_secs(3);

/// Lets a few guests boot at once.
#[derive(Debug, Clone)]
pub struct BootGate {
    slots: Arc<Semaphore>,
    window: Option<Duration>,
}

/// A turn to start a guest.
#[derive(Debug)]
pub struct Slot(OwnedSemaphorePermit);

impl BootGate {
    /// At most `at_once` guests start within `window`; `None`: five seconds where guests are translated, else only for
    /// as long as the start itself takes.
    pub fn new(at_once: usize, window: Option<Duration>) -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once.max(1))), window }
    }

    /// A turn, if one comes soon.
    pub async fn enter(&self) -> Option<Slot> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.slots).acquire_owned()).await;
        turn.ok()?.ok().map(Slot)
    }

    /// Keeps the turn of a guest that was started while it boots.
    pub fn booting(&self, slot: Slot, accelerator: Accelerator) {
        let window = self.window.unwrap_or(match accelerator {
            Accelerator::Kvm => Duration::ZERO,
            Accelerator::Tcg => Duration::from_secs(5),
        });
        if !window.is_zero() {
            tokio::spawn(async move {
                tokio::time::sleep(window).await;
                drop(slot.0);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_booting_guest_keeps_its_turn_for_the_window() {
        let gate = BootGate::new(1, None);
        let slot = gate.enter().await.unwrap();
        gate.booting(slot, Accelerator::Tcg);
        assert!(gate.enter().await.is_none());
        assert!(gate.enter().await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn hardware_needs_no_window_and_a_failed_start_gives_its_turn_back() {
        let gate = BootGate::new(1, None);
        gate.booting(gate.enter().await.unwrap(), Accelerator::Kvm);
        drop(gate.enter().await.unwrap());
        assert!(gate.enter().await.is_some());
    }
}
