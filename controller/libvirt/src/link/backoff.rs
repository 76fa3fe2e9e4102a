//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// A session that lasted this long was a good one.
const LASTING: Duration = Duration::from_secs(30);

/// Doubles from a tenth of a second to five seconds; a session that lasted starts it anew.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST);
        wait
    }

    /// A session lasted this long.
    pub(super) fn succeeded(&mut self, lasted: Duration) {
        if lasted >= LASTING {
            self.0 = FIRST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_to_a_limit_and_starts_anew_after_a_lasting_session() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        backoff.succeeded(Duration::from_secs(1));
        assert_eq!(backoff.next(), LONGEST);
        backoff.succeeded(LASTING);
        assert_eq!(backoff.next(), FIRST);
    }
}
