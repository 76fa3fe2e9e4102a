//! Which hosts are alive. A heartbeat counts from when its change was seen here: the clock of the host does not matter.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use k8s_openapi::api::coordination::v1::Lease;
use ostler_crds::names::HEARTBEAT_LEASE_PREFIX;

/// A host that did not beat for this long gets no new guests.
pub const STALE_AFTER: Duration = Duration::from_secs(40);

/// When each host's heartbeat was last seen to change.
#[derive(Debug, Default)]
pub struct Heartbeats(Mutex<HashMap<String, (Option<String>, Instant)>>);

impl Heartbeats {
    /// Notes what a Lease says now. The first sight of a Lease counts as a beat: after a change of leaders, a dead host
    /// is noticed [`STALE_AFTER`] later. Says whether the host came to life by it.
    pub fn note(&self, lease: &Lease, now: Instant) -> bool {
        let Some(host) = lease.metadata.name.as_deref().and_then(|n| n.strip_prefix(HEARTBEAT_LEASE_PREFIX)) else {
            return false;
        };
        let was_alive = self.alive(host, now);
        let beat = lease.spec.as_ref().and_then(|s| s.renew_time.as_ref()).map(|t| t.0.to_string());
        let mut seen = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match seen.get(host) {
            Some((old, _)) if *old == beat => false,
            Some(_) | None => {
                seen.insert(host.to_owned(), (beat, now));
                !was_alive
            }
        }
    }

    /// Whether the host did beat lately.
    pub fn alive(&self, host: &str, now: Instant) -> bool {
        let seen = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.get(host).is_some_and(|(_, at)| now.saturating_duration_since(*at) < STALE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::{api::coordination::v1::LeaseSpec, apimachinery::pkg::apis::meta::v1::MicroTime};

    use super::*;

    fn lease(beat: i64) -> Lease {
        let mut l = Lease::default();
        l.metadata.name = Some("ostler-host-a".into());
        let renew_time = Some(MicroTime(Timestamp::from_second(beat).unwrap()));
        l.spec = Some(LeaseSpec { renew_time, ..Default::default() });
        l
    }

    #[test]
    fn a_host_is_alive_while_its_lease_changes_whatever_its_clock_says() {
        let (h, t) = (Heartbeats::default(), Instant::now());
        assert!(!h.alive("a", t));
        assert!(h.note(&lease(1), t));
        assert!(h.alive("a", t + Duration::from_secs(39)));
        assert!(!h.note(&lease(1), t + Duration::from_secs(39)));
        assert!(!h.alive("a", t + Duration::from_secs(41)));
        assert!(h.note(&lease(2), t + Duration::from_secs(41)));
        assert!(h.alive("a", t + Duration::from_secs(42)));
    }
}
