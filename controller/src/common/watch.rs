//! How watches come back after the API server was away.

use std::time::{Duration, Instant};

use futures::Stream;
use kube::runtime::{
    WatchStreamExt,
    utils::{Backoff, StreamBackoff},
    watcher,
};
use uuid::Uuid;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);
const LASTING: Duration = Duration::from_secs(30);

/// A watch that tries again within five seconds. kube's own wait grows to half a minute, for which nothing would happen
/// after the API server is back.
pub fn patient<S, T>(watch: S) -> StreamBackoff<S, Waits>
where
    S: Stream<Item = Result<T, watcher::Error>>,
{
    watch.backoff(Waits::default())
}

/// Doubling waits, of which up to half is by chance, so that the machines of a cluster do not come back at one moment. They
/// begin anew after half a minute without a failure.
#[derive(Debug)]
pub struct Waits {
    next: Duration,
    last: Option<Instant>,
}

impl Default for Waits {
    fn default() -> Self {
        Self { next: FIRST, last: None }
    }
}

impl Waits {
    fn next_at(&mut self, now: Instant) -> Duration {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) > LASTING) {
            self.next = FIRST;
        }
        self.last = Some(now);
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        let chance = f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0;
        wait.mul_f64(0.5 + chance / 2.0)
    }
}

impl Iterator for Waits {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(self.next_at(Instant::now()))
    }
}

impl Backoff for Waits {
    /// Nothing: kube counts the beginning of each try as a success.
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_anew_after_a_time_without_failures() {
        let (mut waits, now) = (Waits::default(), Instant::now());
        let all: Vec<_> = (0..12).map(|_| waits.next_at(now)).collect();
        assert!(all[0] <= FIRST && all.iter().all(|w| *w <= LONGEST) && all[11] >= LONGEST / 2);
        waits.reset();
        assert!(waits.next_at(now + LASTING) > FIRST);
        assert!(waits.next_at(now + LASTING * 3) <= FIRST);
    }
}
