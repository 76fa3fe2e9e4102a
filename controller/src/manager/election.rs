//! Who leads: what a candidate makes of the Lease. Pure, `now` is an argument.
//!
//! ```text
//!                look: free, mine, or not changed for HOLDS            write taken (only if unchanged since the look)
//!   standing by ────────────────────────────────────────► take ────────────────────────────────────► leading
//!        ▲                                                                                              │  │
//!        └───────────── another holds it, or no renewal was taken for GIVES_UP ◄────────────────────────┘  │
//!                                                                            renewal taken: again GIVES_UP ◄┘
//! ```
//!
//! As client-go does it: a candidate goes by when it saw the Lease change itself, so clocks need not agree; and a leader
//! counts from before it sent its renewal. Who takes the Lease has not seen it change for [`HOLDS`], so the leader before
//! has stopped for at least `HOLDS - GIVES_UP`.

use std::time::{Duration, Instant};

/// A Lease that does not change for so long is anybody's.
pub const HOLDS: Duration = Duration::from_secs(15);
/// A leader whose renewals were not taken for so long stops.
pub const GIVES_UP: Duration = Duration::from_secs(10);

/// What the Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who holds it; `None`: it is free.
    pub holder: Option<String>,
    /// `metadata.resourceVersion`.
    pub version: String,
}

/// One that stands for election.
#[derive(Debug, Clone)]
pub struct Candidate {
    identity: String,
    /// The Lease's version, and when it was seen first.
    seen: Option<(String, Instant)>,
    leads_until: Option<Instant>,
}

/// What to do after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Write oneself into the Lease, on condition that it did not change since the look.
    Take,
    /// Another leads.
    Wait,
}

impl Candidate {
    /// One that knows nothing yet.
    pub fn new(identity: impl Into<String>) -> Self {
        Self { identity: identity.into(), seen: None, leads_until: None }
    }

    /// Who it is.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// What to do about the Lease as it was read.
    pub fn look(&mut self, record: &Record, now: Instant) -> Move {
        let since = match &self.seen {
            Some((version, since)) if *version == record.version => *since,
            Some(_) | None => {
                self.seen = Some((record.version.clone(), now));
                now
            }
        };
        let mine = record.holder.as_ref() == Some(&self.identity);
        if record.holder.is_none() || mine || now.saturating_duration_since(since) >= HOLDS {
            return Move::Take;
        }
        self.leads_until = None;
        Move::Wait
    }

    /// A write of ours that was begun at `began` was taken; the Lease has this version now.
    pub fn wrote(&mut self, version: String, began: Instant) {
        self.leads_until = Some(began + GIVES_UP);
        self.seen = Some((version, began));
    }

    /// The version on which the next renewal is conditional.
    pub fn version(&self) -> Option<&str> {
        self.seen.as_ref().map(|(version, _)| version.as_str())
    }

    /// Until when it leads, unless it renews before; `None`: it does not lead.
    pub fn leads_until(&self) -> Option<Instant> {
        self.leads_until
    }

    /// It leads no longer.
    pub fn stand_down(&mut self) {
        self.leads_until = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(holder: Option<&str>, version: u64) -> Record {
        Record { holder: holder.map(Into::into), version: version.to_string() }
    }

    #[test]
    fn a_lease_is_taken_when_it_is_free_mine_or_stands_still() {
        let (mut a, t) = (Candidate::new("a"), Instant::now());
        assert_eq!(a.look(&record(Some("b"), 1), t), Move::Wait);
        assert_eq!(a.look(&record(Some("b"), 1), t + HOLDS - Duration::from_millis(1)), Move::Wait);
        assert_eq!(a.look(&record(Some("b"), 1), t + HOLDS), Move::Take);
        assert_eq!(a.look(&record(Some("b"), 2), t + HOLDS), Move::Wait);
        assert_eq!(a.look(&record(Some("a"), 3), t + HOLDS), Move::Take);
        assert_eq!(a.look(&record(None, 4), t + HOLDS), Move::Take);
    }

    /// What happens next, to which candidate, after so many seconds.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        /// It reads the Lease and may send a write.
        Look,
        /// Its write arrives; whether it learns of that.
        Arrive(bool),
    }

    fn events() -> impl Strategy<Value = Vec<(usize, u64, Event)>> {
        let event =
            prop_oneof![3 => Just(Event::Look), 3 => Just(Event::Arrive(true)), 1 => Just(Event::Arrive(false))];
        proptest::collection::vec((0..3_usize, 0..9_u64, event), 0..200)
    }

    proptest! {
        /// Reads, writes and answers may take as long as they like, and any may be lost.
        #[test]
        fn at_no_time_do_two_lead(events in events()) {
            let mut now = Instant::now();
            let mut lease = record(None, 0);
            let mut candidates: Vec<_> = ["a", "b", "c"].map(Candidate::new).into();
            let mut sent: Vec<Option<(String, Instant)>> = vec![None; 3];
            let mut version = 0;
            for (who, seconds, event) in events {
                now += Duration::from_secs(seconds);
                match event {
                    Event::Look => {
                        if candidates[who].look(&lease, now) == Move::Take {
                            sent[who] = Some((lease.version.clone(), now));
                        }
                    }
                    Event::Arrive(told) => {
                        if let Some((condition, began)) = sent[who].take()
                            && condition == lease.version
                        {
                            version += 1;
                            lease = record(Some(["a", "b", "c"][who]), version);
                            if told {
                                candidates[who].wrote(lease.version.clone(), began);
                            }
                        }
                    }
                }
                let leaders = candidates.iter().filter(|c| c.leads_until().is_some_and(|t| t > now)).count();
                prop_assert!(leaders <= 1);
            }
        }
    }
}
