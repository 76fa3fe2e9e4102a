//! Which cached images a host gives up, when their bytes are more than it may keep.
//!
//! An image that a disk stands on, or that a Server of this host may need, is never given up, whatever the limit. Of the
//! others the one goes first that was needed longest ago, until the rest fits, and none while it does. An image that came or
//! was needed a moment ago stays: who asked for it may not have made its disk yet.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// For how long an image stays after it was fetched or needed.
pub const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// Part of the file system, in percent, that cached images nobody needs leave free for guests' disks.
const LEFT_FREE_PERCENT: u64 = 5;

/// How many bytes of images a host keeps: `10%` of the file system, or `50GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Percent of the file system's size.
    Percent(u8),
    /// Bytes.
    Bytes(u64),
}

/// No limit can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("neither a share of the file system (10%) nor a size (500MiB, 50GiB, or bytes)")]
pub struct BadLimit;

/// A cached image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// SHA-256 in hexadecimal; its name.
    pub sha256: String,
    /// Bytes that it takes on disk.
    pub bytes: u64,
    /// When it was fetched, or last seen to be needed.
    pub used_at: Timestamp,
    /// Whether a disk stands on it, or a Server of this host may need it.
    pub needed: bool,
}

/// The file system that the cache and the guests' disks are on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Its size.
    pub size: u64,
    /// What is free.
    pub free: u64,
}

/// SHA-256 of the images to remove, in this order.
pub fn evicted(cached: &[Cached], limit: Limit, disk: FileSystem, now: Timestamp) -> Vec<String> {
    let mut sum: u64 = cached.iter().map(|c| c.bytes).sum();
    let may_keep = limit.bytes(disk.size).min((sum + disk.free).saturating_sub(disk.size / 100 * LEFT_FREE_PERCENT));
    let mut idle: Vec<&Cached> =
        cached.iter().filter(|c| !c.needed && now.duration_since(c.used_at) >= GRACE).collect();
    idle.sort_by_key(|c| (c.used_at, &c.sha256));
    let mut out = Vec::new();
    for image in idle {
        if sum <= may_keep {
            break;
        }
        sum -= image.bytes;
        out.push(image.sha256.clone());
    }
    out
}

impl Limit {
    /// In bytes, of a file system of this size.
    pub fn bytes(self, size: u64) -> u64 {
        match self {
            Self::Percent(percent) => size / 100 * u64::from(percent),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl FromStr for Limit {
    type Err = BadLimit;

    fn from_str(text: &str) -> Result<Self, BadLimit> {
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().filter(|p| *p <= 100).map(Self::Percent).ok_or(BadLimit);
        }
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)];
        let (number, shift) =
            units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift))).unwrap_or((text, 0));
        let number: u64 = number.trim().parse().map_err(|_| BadLimit)?;
        number.checked_mul(1 << shift).map(Self::Bytes).ok_or(BadLimit)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Bytes(bytes) => write!(f, "{bytes}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use rstest::rstest;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn image(name: &str, bytes: u64, age: i64, needed: bool) -> Cached {
        Cached { sha256: name.into(), bytes, used_at: at(NOW - age), needed }
    }

    #[test]
    fn the_longest_unneeded_goes_first_and_only_as_many_as_must() {
        let cached = [
            image("needed", 50, 9000, true),
            image("old", 20, 8000, false),
            image("older", 20, 9000, false),
            image("fresh", 20, 10, false),
        ];
        let roomy = FileSystem { size: 10_000, free: 5_000 };
        let evict = |limit| evicted(&cached, Limit::Bytes(limit), roomy, at(NOW));
        assert_eq!(evict(110), Vec::<String>::new());
        assert_eq!(evict(109), ["older"]);
        assert_eq!(evict(80), ["older", "old"]);
        assert_eq!(evict(0), ["older", "old"], "neither what is needed nor what just came");
        let full = FileSystem { size: 10_000, free: 485 };
        assert_eq!(evicted(&cached, Limit::Percent(100), full, at(NOW)), ["older"], "guests' disks have to grow");
        // A clock that was set back makes images of the future.
        assert_eq!(evicted(&cached, Limit::Bytes(0), roomy, at(NOW - 10_000)), Vec::<String>::new());
    }

    #[rstest]
    #[case("10%", Some(Limit::Percent(10)))]
    #[case("0%", Some(Limit::Percent(0)))]
    #[case("101%", None)]
    #[case("4096", Some(Limit::Bytes(4096)))]
    #[case("3MiB", Some(Limit::Bytes(3 << 20)))]
    #[case("50GiB", Some(Limit::Bytes(50 << 30)))]
    #[case("99999999999TiB", None)]
    #[case("-1", None)]
    #[case("", None)]
    #[case("ten", None)]
    fn limits_are_read(#[case] text: &str, #[case] wanted: Option<Limit>) {
        assert_eq!(text.parse().ok(), wanted);
        if let Some(limit) = wanted {
            assert_eq!(limit.to_string().parse(), Ok(limit));
        }
    }

    fn any_cached() -> impl Strategy<Value = Vec<Cached>> {
        let one = (0..1000_u64, -2000..20_000_i64, any::<bool>());
        vec(one, 0..12).prop_map(|all| {
            let image = |(i, (bytes, age, needed))| image(&format!("{i}"), bytes, age, needed);
            all.into_iter().enumerate().map(image).collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_needed_or_fresh_goes_and_no_more_than_must(
            cached in any_cached(), limit in 0..8000_u64, size in 0..200_000_u64, free in 0..200_000_u64,
        ) {
            let disk = FileSystem { size, free };
            let out = evicted(&cached, Limit::Bytes(limit), disk, at(NOW));
            let gone = |c: &&Cached| out.contains(&c.sha256);
            let idle = |c: &&Cached| !c.needed && at(NOW).duration_since(c.used_at) >= GRACE;
            prop_assert!(cached.iter().filter(gone).all(|c| idle(&c)));
            // What stays of the idle ones was needed later than what goes.
            let last_gone = cached.iter().filter(gone).map(|c| c.used_at).max();
            let stays = |c: &&Cached| idle(c) && !gone(c);
            prop_assert!(cached.iter().filter(stays).all(|c| last_gone.is_none_or(|t| c.used_at >= t)));
            // It fits, or nothing is left to give up; and without the last one that goes it would not fit.
            let sum: u64 = cached.iter().map(|c| c.bytes).sum();
            let freed: u64 = cached.iter().filter(gone).map(|c| c.bytes).sum();
            let may_keep = limit.min((sum + free).saturating_sub(size / 100 * LEFT_FREE_PERCENT));
            prop_assert!(sum - freed <= may_keep || !cached.iter().any(|c| stays(&c)));
            if let Some(last) = out.last() {
                let last = cached.iter().find(|c| c.sha256 == *last).unwrap().bytes;
                prop_assert!(sum - freed + last > may_keep);
            }
            // A second look finds nothing more to do.
            let rest: Vec<Cached> = cached.iter().filter(|c| !gone(c)).cloned().collect();
            let after = FileSystem { free: free + freed, ..disk };
            prop_assert!(evicted(&rest, Limit::Bytes(limit), after, at(NOW)).is_empty());
        }
    }
}
