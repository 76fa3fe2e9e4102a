//! A clock that nobody sets: it goes on from where the machine's clock was when this process began. How long a guest may take
//! to shut down, or has to rest, must not change when an administrator, or NTP, sets the machine's clock.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The clock.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    began: Timestamp,
    at: Instant,
}

impl SteadyClock {
    /// Begins at this time, which is now.
    pub fn new(began: Timestamp) -> Self {
        Self { began, at: Instant::now() }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.at.elapsed()).unwrap_or(SignedDuration::MAX);
        self.began.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_whatever_the_machines_clock_shows() {
        let began = Timestamp::now().checked_sub(SignedDuration::from_hours(1)).unwrap();
        let clock = SteadyClock::new(began);
        assert_eq!(clock.now(), began);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now().duration_since(began), SignedDuration::from_secs(90));
    }
}
