//! What came of it.

use std::fmt;

/// Counts, and what was wrong.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Crashes that happened.
    pub points: usize,
    /// Things that lay about in the end.
    pub leftovers: usize,
    /// Crashes after which another guest was not the same process any more.
    pub disturbed: usize,
    /// Crashes after which the end was another one.
    pub other_ends: usize,
    /// What was wrong, a line each.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.points += other.points;
        self.leftovers += other.leftovers;
        self.disturbed += other.disturbed;
        self.other_ends += other.other_ends;
        self.wrong.extend(other.wrong);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { points, leftovers, disturbed, other_ends, .. } = self;
        write!(f, "{points} points, {leftovers} leftovers, {disturbed} disturbed guests, {other_ends} other ends")
    }
}
