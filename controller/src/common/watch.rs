//! How watches come back after the API server was away.

use std::time::Duration;

use futures::Stream;
use kube::runtime::{
    WatchStreamExt,
    utils::{Backoff, StreamBackoff},
    watcher,
};
use uuid::Uuid;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);

/// A watch that tries again within eight seconds. kube's own wait grows to half a minute, for which nothing would happen
/// after the API server is back.
pub fn patient<S, T>(watch: S) -> StreamBackoff<S, Waits>
where
    S: Stream<Item = Result<T, watcher::Error>>,
{
    watch.backoff(Waits::default())
}

/// Doubling waits, of which up to half is by chance, so that the machines of a cluster do not come back at one moment.
#[derive(Debug)]
pub struct Waits {
    next: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Iterator for Waits {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        let chance = f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0;
        Some(wait.mul_f64(0.5 + chance / 2.0))
    }
}

impl Backoff for Waits {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_anew_after_a_success() {
        let mut waits = Waits::default();
        let all: Vec<_> = waits.by_ref().take(12).collect();
        assert!(all[0] <= FIRST && all.iter().all(|w| *w <= LONGEST) && all[11] >= LONGEST / 2);
        waits.reset();
        assert!(waits.next().is_some_and(|w| w <= FIRST));
    }
}
