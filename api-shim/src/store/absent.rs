//! Ids that the API server did not know a moment ago: whoever asks for one again and again costs one question in two
//! seconds. Pure: the time is an argument.
//!
//! A note never hides what this process knows: the objects in memory are looked at first, and a note goes when its object
//! is written or seen here. What another replica made within the two seconds after the question may be missed so long.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

/// How long a note holds, from the time of the question.
const FRESH: Duration = Duration::from_secs(2);
/// Most notes kept.
const ENTRIES: usize = 10_000;

/// Notes by namespace and id.
#[derive(Default)]
pub struct Absent(HashMap<(String, Uuid), Instant>);

impl Absent {
    /// Whether there was no such object a moment ago.
    pub fn contains(&self, namespace: &str, id: Uuid, now: Instant) -> bool {
        self.0.get(&(namespace.to_owned(), id)).is_some_and(|asked| is_fresh(*asked, now))
    }

    /// There was none when it was `asked`.
    pub fn note(&mut self, namespace: &str, id: Uuid, asked: Instant) {
        if self.0.len() >= ENTRIES {
            self.0.retain(|_, a| is_fresh(*a, asked));
        }
        if self.0.len() >= ENTRIES {
            self.0.clear();
        }
        self.0.insert((namespace.to_owned(), id), asked);
    }

    /// There is one.
    pub fn forget(&mut self, namespace: &str, id: Uuid) {
        self.0.remove(&(namespace.to_owned(), id));
    }
}

fn is_fresh(asked: Instant, now: Instant) -> bool {
    now.saturating_duration_since(asked) < FRESH
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn a_note_holds_for_its_project_and_id_and_not_for_long() {
        let (mut absent, now) = (Absent::default(), Instant::now());
        absent.note("prod", ID, now);
        assert!(absent.contains("prod", ID, now));
        assert!(!absent.contains("dev", ID, now) && !absent.contains("prod", Uuid::from_u128(8), now));
        assert!(!absent.contains("prod", ID, now + FRESH));
        absent.forget("prod", ID);
        assert!(!absent.contains("prod", ID, now));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut absent, now) = (Absent::default(), Instant::now());
        for i in 0..ENTRIES as u128 * 2 + 5 {
            absent.note("prod", Uuid::from_u128(i), now);
        }
        assert!(absent.0.len() <= ENTRIES);
    }
}
