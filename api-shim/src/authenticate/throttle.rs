//! Slows down guessing: after three failures, attempts of the same name from the same address are looked at one at a
//! time, with a fixed pause between them. The pause does not grow, because behind address translation all users have one
//! address: who guesses must not keep out who knows the password. Whether the name exists makes no difference. Pure: the
//! time is an argument.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// Failures that cost nothing.
const FREE: u32 = 3;
/// Between two attempts after that.
const PAUSE: Duration = Duration::from_secs(2);
/// What failed within this time is not forgotten for want of room, unless nothing else is left.
const RECENT: Duration = Duration::from_secs(60);
/// After this time without a failure all is forgiven.
const MEMORY: Duration = Duration::from_secs(15 * 60);
/// Most entries kept.
const ENTRIES: usize = 20_000;

struct Entry {
    failures: u32,
    /// Of the last failure, or of the last attempt that was let in.
    last: Instant,
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
        let pause = if entry.failures < FREE { Duration::ZERO } else { PAUSE };
        let left = (entry.last + pause).saturating_duration_since(now);
        if left.is_zero() { None } else { u32::try_from(left.as_secs() + 1).ok() }
    }

    /// As [`Self::check`], and whoever is let in takes the turn: others that come at the same time wait for the next.
    pub fn admit(&mut self, name: &str, peer: IpAddr, now: Instant) -> Option<u32> {
        let wait = self.check(name, peer, now);
        if wait.is_none()
            && let Some(entry) = self.0.get_mut(&key(name, peer)).filter(|e| e.failures >= FREE)
        {
            entry.last = now;
        }
        wait
    }

    /// An attempt failed.
    pub fn failed(&mut self, name: &str, peer: IpAddr, now: Instant) {
        if self.0.len() >= ENTRIES {
            self.0.retain(|_, e| now.saturating_duration_since(e.last) < RECENT);
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
    fn after_three_failures_one_attempt_in_two_seconds_is_let_in() {
        let (mut t, start) = (Throttle::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for _ in 0..FREE {
            assert_eq!(t.admit("a", PEER, start), None);
            t.failed("a", PEER, start);
        }
        assert_eq!((t.check("a", PEER, start), t.check("b", PEER, start)), (Some(3), None));
        assert_eq!((t.admit("a", PEER, at(2)), t.admit("a", PEER, at(2))), (None, Some(3)));
        t.failed("a", PEER, at(2));
        assert_eq!(t.admit("a", PEER, at(3)), Some(2));
        t.succeeded("a", PEER);
        assert_eq!((t.admit("a", PEER, at(3)), t.admit("a", PEER, at(3))), (None, None));
    }

    #[test]
    fn who_guesses_for_ever_does_not_keep_out_who_knows_the_password() {
        let (mut t, start) = (Throttle::default(), Instant::now());
        for second in 0..3600 {
            let now = start + Duration::from_secs(second);
            if t.admit("a", PEER, now).is_none() {
                t.failed("a", PEER, now);
            }
        }
        // However much failed before.
        assert!(t.check("a", PEER, start + Duration::from_secs(3599)).is_some_and(|s| s <= 3));
        assert_eq!(t.admit("a", PEER, start + Duration::from_secs(3602)), None);
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
