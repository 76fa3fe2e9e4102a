//! What a hypervisor told.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ostler_hypervisor::{GuestEvent, Hypervisor};

/// The events of a hypervisor since this subscribed.
pub struct Events(Receiver<GuestEvent>);

impl Events {
    /// Subscribes.
    pub fn of(hypervisor: &impl Hypervisor) -> Self {
        let (sender, events) = channel();
        // Nobody hears events that come after the test's end.
        hypervisor.subscribe(Box::new(move |event| sender.send(event).unwrap_or_default()));
        Self(events)
    }

    /// Waits until `wanted` is told; what comes before it is passed over. Blocks the thread.
    ///
    /// # Errors
    /// It is not told within `patience`.
    pub fn wait_for(&self, wanted: GuestEvent, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.0.recv_timeout(left).with_context(|| format!("{wanted:?} was not told"))?;
            if event == wanted {
                return Ok(());
            }
        }
    }

    /// Forgets what was told so far.
    pub fn forget(&self) {
        while self.0.try_recv().is_ok() {}
    }
}
