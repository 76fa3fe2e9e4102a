//! Slows down guessing: each failure after the third doubles the time until the next attempt of the same name from the
//! same address is looked at. Whether the name exists makes no difference. Pure: the time is an argument.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// Failures that cost nothing.
const FREE: u32 = 3;
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(60);
/// After this time without a failure all is forgiven.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Most entries kept.
const ENTRIES: usize = 20_000;

struct Entry {
    failures: u32,
    last: Instant,
}

impl Entry {
    fn pause(&self) -> Duration {
        match self.failures.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(over) => Duration::from_secs(1 << over.min(6)).min(LONGEST),
        }
    }
}

/// A name and an address. The name as a digest: it comes from whoever calls, as long as they like.
type Key = ([u8; 32], IpAddr);

fn key(name: &str, peer: IpAddr) -> Key {
    (Sha256::digest(name.as_bytes()).into(), peer)
}

/// Remembers failures.
#[derive(Default)]
pub struct Throttle(HashMap<Key, Entry>);

impl Throttle {
    /// Seconds to wait before an attempt is looked at; `None`: none.
    pub fn check(&self, name: &str, peer: IpAddr, now: Instant) -> Option<u32> {
        let entry = self.0.get(&key(name, peer))?;
        let left = (entry.last + entry.pause()).saturating_duration_since(now);
        if left.is_zero() { None } else { u32::try_from(left.as_secs() + 1).ok() }
    }

    /// An attempt failed.
    pub fn failed(&mut self, name: &str, peer: IpAddr, now: Instant) {
        if self.0.len() >= ENTRIES {
            self.0.retain(|_, e| now.saturating_duration_since(e.last) < LONGEST);
        }
        if self.0.len() >= ENTRIES {
            self.0.clear();
        }
        let entry = self.0.entry(key(name, peer)).or_insert(Entry { failures: 0, last: now });
        let forgiven = now.saturating_duration_since(entry.last) > MEMORY;
        entry.failures = if forgiven { 1 } else { entry.failures.saturating_add(1) };
        entry.last = now;
    }

    /// An attempt succeeded.
    pub fn succeeded(&mut self, name: &str, peer: IpAddr) {
        self.0.remove(&key(name, peer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn pauses_double_up_to_a_minute_and_end() {
        let (mut t, now) = (Throttle::default(), Instant::now());
        let waits: Vec<Option<u32>> = (0..12)
            .map(|_| {
                t.failed("a", PEER, now);
                t.check("a", PEER, now)
            })
            .collect();
        assert_eq!(&waits[..6], &[None, None, Some(2), Some(3), Some(5), Some(9)]);
        assert_eq!(waits[11], Some(61));
        assert_eq!(t.check("b", PEER, now), None);
        assert_eq!(t.check("a", PEER, now + LONGEST), None);
        t.succeeded("a", PEER);
        assert_eq!(t.check("a", PEER, now), None);
    }

    #[test]
    fn memory_is_bounded() {
        let (mut t, now) = (Throttle::default(), Instant::now());
        for i in 0..ENTRIES * 2 + 5 {
            t.failed(&i.to_string(), PEER, now);
        }
        assert!(t.0.len() <= ENTRIES);
    }
}
