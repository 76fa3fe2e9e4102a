//! What came of a run: of every test that was asked for one verdict, none forgotten.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::settings::Version;
use crate::skips::Skips;

/// What tempest said of a test, or of a class (`setUpClass (module.Class)`).
#[derive(Debug, Clone, Deserialize)]
pub struct Outcome {
    /// The test's id with its tags.
    pub id: String,
    /// `success`, `skip`, `fail`, …
    pub status: String,
    /// How long it took.
    pub seconds: f64,
    /// The reason of a skip, or a traceback.
    pub said: String,
}

/// What is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passed.
    Passed,
    /// It was skipped, and the table says why that is right.
    Skipped(String),
    /// It failed, did not run, or was skipped for no known reason; with what was said.
    Failed(String),
}

/// A test's name without its tags.
pub fn bare(id: &str) -> &str {
    id.split_once('[').map_or(id, |(bare, _)| bare)
}

/// The class of a test, or of an outcome of `setUpClass` and its like.
fn class(id: &str) -> &str {
    match id.split_once(" (") {
        Some((_, class)) => class.trim_end_matches(')'),
        None => bare(id).rsplit_once('.').map_or("", |(class, _)| class),
    }
}

/// A verdict for each of the tests, which are without tags in the answer.
pub fn judge<'a>(tests: &[&'a str], outcomes: &[Outcome], skips: &Skips, floor: Version) -> BTreeMap<&'a str, Verdict> {
    let of_test: BTreeMap<&str, &Outcome> =
        outcomes.iter().filter(|o| !o.id.contains(" (")).map(|o| (bare(&o.id), o)).collect();
    // What a class says of itself is never a success. A failure weighs more than a skip.
    let mut of_class: BTreeMap<&str, &Outcome> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|o| o.id.contains(" (")) {
        let known = of_class.entry(class(&outcome.id)).or_insert(outcome);
        if known.status == "skip" {
            *known = outcome;
        }
    }
    let verdict = |test: &str| {
        let own = of_test.get(test).copied();
        let class = of_class.get(class(test)).copied();
        match (own, class) {
            (Some(own), Some(class)) if own.status == "success" && class.status != "skip" => {
                Verdict::Failed(format!("passed, but its class failed: {}", last_words(&class.said)))
            }
            (Some(outcome), _) | (None, Some(outcome)) => of(test, outcome, skips, floor),
            (None, None) => Verdict::Failed("it did not run".to_owned()),
        }
    };
    tests.iter().map(|test| (bare(test), verdict(bare(test)))).collect()
}

fn of(test: &str, outcome: &Outcome, skips: &Skips, floor: Version) -> Verdict {
    match outcome.status.as_str() {
        "success" => Verdict::Passed,
        "skip" => match skips.reason(test, floor) {
            Some(reason) => Verdict::Skipped(reason.to_owned()),
            None => Verdict::Failed(format!("skipped without a reason in our table: {}", outcome.said.trim())),
        },
        status => Verdict::Failed(format!("{status}: {}", last_words(&outcome.said))),
    }
}

/// The end of a traceback, from the last line that names an exception on, in at most some lines.
pub fn last_words(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
    let code = lines.iter().rposition(|l| l.starts_with("  File ") || l.starts_with("    "));
    let words: Vec<&str> = lines[code.map_or(0, |n| n + 1)..].iter().take(6).copied().collect();
    let text = words.join("\n");
    match text.char_indices().nth(900) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::LOWEST;

    fn outcome(id: &str, status: &str, said: &str) -> Outcome {
        Outcome { id: id.into(), status: status.into(), seconds: 0.0, said: said.into() }
    }

    fn verdicts(outcomes: &[Outcome]) -> Vec<Verdict> {
        let skips = Skips::default();
        judge(&["m.C.test_a[id-1]", "m.C.test_b[id-2]"], outcomes, &skips, LOWEST).into_values().collect()
    }

    #[test]
    fn a_test_that_did_not_run_has_failed() {
        let seen = verdicts(&[outcome("m.C.test_a[id-1]", "success", "")]);
        assert_eq!(seen, [Verdict::Passed, Verdict::Failed("it did not run".into())]);
    }

    #[test]
    fn what_a_class_says_holds_for_its_tests() {
        let seen =
            verdicts(&[outcome("setUpClass (m.C)", "fail", "Traceback\n  File \"x\"\n    y()\nE: bad\nDetails: 1")]);
        assert_eq!(seen, vec![Verdict::Failed("fail: E: bad\nDetails: 1".into()); 2]);
    }

    #[test]
    fn a_class_that_fails_at_its_end_fails_its_tests() {
        let seen = verdicts(&[
            outcome("m.C.test_a[id-1]", "success", ""),
            outcome("m.C.test_b[id-2]", "success", ""),
            outcome("tearDownClass (m.C)", "fail", "left behind"),
        ]);
        assert!(seen.iter().all(|v| matches!(v, Verdict::Failed(w) if w.contains("left behind"))), "{seen:?}");
    }

    #[test]
    fn a_skip_needs_a_reason_of_ours() {
        let seen = verdicts(&[outcome("setUpClass (m.C)", "skip", "no cinder")]);
        assert!(seen.iter().all(|v| matches!(v, Verdict::Failed(w) if w.contains("no cinder"))));
    }

    #[test]
    fn last_words_are_short() {
        let long = format!("  File x\n    y\nE: {}", "ä".repeat(2000));
        assert!(last_words(&long).chars().count() < 910);
        assert_eq!(last_words(""), "");
    }
}
