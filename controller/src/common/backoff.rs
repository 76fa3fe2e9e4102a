//! How long to wait before another try: doubling, with a cap, and a spread so that many do not come back at once.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Failures in a row for each key, and the wait that follows from them.
#[derive(Debug)]
pub struct Backoff<K> {
    first: Duration,
    cap: Duration,
    failures: Mutex<HashMap<K, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    in_a_row: u32,
    last: Instant,
    wait: Duration,
}

impl<K: Eq + Hash + Clone> Backoff<K> {
    /// Waits from `first` up to `cap`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, failures: Mutex::new(HashMap::new()) }
    }

    /// Notes a failure and says how long to wait.
    pub fn failed(&self, key: &K) -> Duration {
        self.failed_at(key, Instant::now())
    }

    /// Notes that all is well.
    pub fn succeeded(&self, key: &K) {
        self.all().remove(key);
    }

    /// How long the wait after the last failure still lasts; `None`: it is over, or there was no failure. For callers that
    /// are also woken by their own writes.
    pub fn resting(&self, key: &K) -> Option<Duration> {
        self.resting_at(key, Instant::now())
    }

    fn resting_at(&self, key: &K, now: Instant) -> Option<Duration> {
        let failures = self.all().get(key).copied()?;
        failures.wait.checked_sub(now.saturating_duration_since(failures.last)).filter(|left| !left.is_zero())
    }

    fn failed_at(&self, key: &K, now: Instant) -> Duration {
        let mut all = self.all();
        if !all.contains_key(key) {
            // What is tried again comes back well before; what does not come back is an object that is gone.
            let forgotten = self.cap.saturating_mul(2);
            all.retain(|_, f| now.saturating_duration_since(f.last) < forgotten);
        }
        let failures = all.entry(key.clone()).or_insert(Failures { in_a_row: 0, last: now, wait: self.first });
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        failures.last = now;
        failures.wait = wait(self.first, self.cap, failures.in_a_row, spread(key));
        failures.wait
    }

    fn all(&self) -> MutexGuard<'_, HashMap<K, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spread<K: Hash>(key: &K) -> u32 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    (hasher.finish() % 25) as u32
}

/// The wait after `failures` in a row: `first` doubled each time, at most `cap`, plus `percent` of itself.
fn wait(first: Duration, cap: Duration, failures: u32, percent: u32) -> Duration {
    let doubled = first.saturating_mul(1u32.checked_shl(failures.saturating_sub(1).min(31)).unwrap_or(u32::MAX));
    let base = doubled.min(cap);
    base + base / 100 * percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_cap_and_starts_over_after_success() {
        let b = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<_> = (0..10).map(|_| b.failed(&"a")).collect();
        assert!(waits.windows(2).all(|w| w[0] <= w[1]));
        assert!(waits[9] < Duration::from_secs(76) && waits[9] >= Duration::from_secs(60));
        b.succeeded(&"a");
        assert!(b.failed(&"a") < Duration::from_secs(2));
    }

    #[test]
    fn a_wait_is_over_when_it_is_over() {
        let (b, now) = (Backoff::new(Duration::from_secs(10), Duration::from_secs(60)), Instant::now());
        assert_eq!(b.resting_at(&"a", now), None);
        let wait = b.failed_at(&"a", now);
        assert_eq!(b.resting_at(&"a", now + Duration::from_secs(4)), Some(wait - Duration::from_secs(4)));
        assert_eq!(b.resting_at(&"a", now + wait), None);
    }

    #[test]
    fn what_never_comes_back_is_forgotten() {
        let b = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let start = Instant::now();
        for i in 0..100 {
            b.failed_at(&i, start);
        }
        b.failed_at(&7, start + Duration::from_secs(90));
        b.failed_at(&1000, start + Duration::from_secs(121));
        assert_eq!(b.all().len(), 2, "7, which came back, and the new one");
    }
}
