//! What only the process remembers of a guest between two passes. Losing it (a restart) costs patience, never a guest:
//! a shutdown is asked for again with a new deadline, a crash loop begins with a quick restart.

use std::time::Duration;

use jiff::Timestamp;
use ostler_crds::server::LastAction;

/// How long a guest may take to shut down before it is powered off.
pub const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(120);
/// A guest that was still booting has not heard the first request, so it is asked again (Nova does the same).
pub const SHUTDOWN_REPEAT: Duration = Duration::from_secs(10);
/// A guest that ran this long before it stopped is no crash loop (the kubelet's figure for containers).
pub const STEADY_RUN: Duration = Duration::from_secs(600);
/// Wait before the second quick restart; doubled each time (the kubelet's figures for containers).
pub const FIRST_REST: Duration = Duration::from_secs(10);
/// Longest wait between restarts.
pub const LONGEST_REST: Duration = Duration::from_secs(300);

/// What the process remembers of one guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// When the guest was first asked to shut down, if it has not since.
    pub asked_off: Option<Timestamp>,
    /// Its last start by us.
    pub last_start: Option<LastStart>,
    /// A momentary wish that was done and may not be echoed in the status yet.
    pub finished: Option<LastAction>,
}

/// A start by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastStart {
    /// When.
    pub at: Timestamp,
    /// How many starts before it ended soon, in a row.
    pub quick_ends: u32,
}

impl Memory {
    /// When a guest that stopped by itself may be started again, and what to note of that start.
    pub(super) fn next_start(&self, now: Timestamp) -> (Timestamp, LastStart) {
        let quick_ends = match self.last_start {
            Some(last) if since(last.at, now) < STEADY_RUN => last.quick_ends + 1,
            Some(_) | None => 0,
        };
        let earliest = match (self.last_start, quick_ends) {
            (Some(last), 1..) => last.at.checked_add(rest(quick_ends)).unwrap_or(now),
            (Some(_), 0) | (None, _) => now,
        };
        (earliest, LastStart { at: now, quick_ends })
    }
}

/// How long ago `then` was; zero if the clock was set back.
pub(super) fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}

fn rest(quick_ends: u32) -> Duration {
    FIRST_REST.saturating_mul(1 << quick_ends.saturating_sub(1).min(16)).min(LONGEST_REST)
}
