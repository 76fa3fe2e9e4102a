//! Reads what `cargo test` prints. libtest has no stable format for machines, but these lines have not changed for years:
//!
//! ```text
//!      Running tests/smoke.rs (target/debug/deps/smoke-0123)
//!    Doc-tests ostler_crds
//! test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.09s
//! error: test failed, to rerun pass `-p ostler-crds --lib`
//! ```
//!
//! `Running` comes on stderr and the result on stdout, so a result may be seen before the name that it belongs to. Names
//! and results are in order each, so they are matched by their number.

use std::fmt::Write;

const BEFORE: &str = "checks before the tests";

#[derive(Debug, Clone, Default, PartialEq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// By a suite, for a reason that its own table states.
    skipped: u64,
    seconds: f64,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Report {
    names: Vec<String>,
    results: Vec<Counts>,
    problems: Vec<String>,
}

impl Report {
    /// Takes note of a line of stdout or stderr.
    pub fn line(&mut self, line: &str) {
        if let Some(name) = started(line) {
            self.names.push(name);
        } else if let Some(counts) = result(line) {
            self.results.push(counts);
        } else if line.starts_with("error: could not compile") {
            self.broke(line);
        }
    }

    /// Takes note of checks that failed before the tests.
    pub fn failed_before(&mut self, count: u64) {
        if count > 0 {
            self.names.push(BEFORE.to_owned());
            self.results.push(Counts { failed: count, ..Counts::default() });
        }
    }

    /// Takes note of a script's last line `N passed, N failed`, or `N passed, N failed, N skipped`.
    pub fn suite(&mut self, name: &str, last_line: &str, success: bool, seconds: f64) {
        let Some(counts) = tally(last_line) else {
            return self.broke(&format!("{name} did not end with a line `N passed, N failed`, but with {last_line:?}"));
        };
        if !success && counts.failed == 0 {
            self.broke(&format!("{name} failed, but none of its checks did"));
        }
        self.names.push(name.to_owned());
        self.results.push(Counts { seconds, ..counts });
    }

    /// Takes note of something that no test result tells.
    pub fn broke(&mut self, problem: &str) {
        self.problems.push(problem.to_owned());
    }

    /// Takes note of how `cargo test` ended.
    pub fn ended(&mut self, success: bool) {
        // Documentation tests may tell more than one result; they come last, so the others' names still match.
        if self.results.len() < self.names.len() {
            let (names, results) = (self.names.len(), self.results.len());
            self.broke(&format!("{names} test binaries were started, {results} told a result"));
        }
        if !success && self.problems.is_empty() && self.sum().failed == self.before() {
            self.broke("cargo test failed, but no test did");
        }
        if self.sum().passed == 0 {
            self.broke("no test ran");
        }
    }

    /// Failed checks that [`Report::failed_before`] told of.
    fn before(&self) -> u64 {
        self.names.first().filter(|n| *n == BEFORE).and_then(|_| self.results.first()).map_or(0, |c| c.failed)
    }

    fn sum(&self) -> Counts {
        self.results.iter().fold(Counts::default(), |a, b| Counts {
            passed: a.passed + b.passed,
            failed: a.failed + b.failed,
            ignored: a.ignored + b.ignored,
            skipped: a.skipped + b.skipped,
            seconds: a.seconds + b.seconds,
        })
    }

    /// Whether all is well.
    pub fn succeeded(&self) -> bool {
        self.problems.is_empty() && self.sum().failed == 0
    }

    /// One line a test binary that has tests, then what is to be said beside the counts.
    pub fn table(&self) -> String {
        let mut text = format!("{:>6} {:>6} {:>8}  {}\n", "passed", "failed", "seconds", "tests");
        for (n, counts) in self.results.iter().enumerate() {
            let name = self.names.get(n).map_or("?", String::as_str);
            if counts.passed + counts.failed + counts.ignored > 0 {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{:>6} {:>6} {:>8.1}  {name}", counts.passed, counts.failed, counts.seconds);
            }
        }
        if self.sum().ignored > 0 {
            let _ = writeln!(text, "{} tests are marked #[ignore] and did not run", self.sum().ignored);
        }
        for (counts, name) in self.results.iter().zip(&self.names).filter(|(c, _)| c.skipped > 0) {
            let _ = writeln!(text, "{} tests of {name} were skipped, for reasons that it states", counts.skipped);
        }
        for problem in &self.problems {
            let _ = writeln!(text, "problem: {problem}");
        }
        text
    }

    /// `N passed, N failed`. A problem without a failed test counts as a failed one.
    pub fn last_line(&self) -> String {
        let sum = self.sum();
        let failed = if self.succeeded() { 0 } else { sum.failed.max(1) };
        format!("{} passed, {failed} failed", sum.passed)
    }
}

/// The name in a `Running` or `Doc-tests` line.
fn started(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{name} (documentation)"));
    }
    let (source, binary) = line.strip_prefix("Running ")?.rsplit_once(" (")?;
    let file = binary.strip_suffix(')')?.rsplit('/').next()?;
    let crate_name = file.rsplit_once('-').map_or(file, |(name, _hash)| name);
    Some(match source.strip_prefix("unittests ") {
        Some(_) => format!("{crate_name} (unit)"),
        None => format!("{crate_name} ({source})"),
    })
}

/// The counts in `N passed, N failed` and in `N passed, N failed, N skipped`.
fn tally(line: &str) -> Option<Counts> {
    let (line, skipped) = match line.strip_suffix(" skipped") {
        Some(line) => line.rsplit_once(", ")?,
        None => (line, "0"),
    };
    let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
    let number = |text: &str| text.parse().ok();
    Some(Counts { passed: number(passed)?, failed: number(failed)?, skipped: number(skipped)?, ..Counts::default() })
}

/// The counts in a `test result:` line.
fn result(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |word: &str| {
        let part = rest.split([';', '.']).find_map(|p| p.trim().strip_suffix(word))?;
        part.trim().parse::<u64>().ok()
    };
    let seconds = rest.rsplit_once("finished in ").and_then(|(_, s)| s.trim_end_matches('s').parse().ok());
    Some(Counts {
        passed: number("passed")?,
        failed: number("failed")?,
        ignored: number("ignored")?,
        skipped: 0,
        seconds: seconds.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.25s";
    const BAD: &str =
        "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.50s";
    const UNIT: &str = "     Running unittests src/lib.rs (target/debug/deps/ostler_crds-aa594d4c4ced6c43)";
    const FILE: &str =
        "     Running tests/apiserver/main.rs (/some where/target/debug/deps/apiserver-268da9a48a7247c0)";

    fn after(lines: &[&str], success: bool) -> Report {
        let mut report = Report::default();
        lines.iter().for_each(|l| report.line(l));
        report.ended(success);
        report
    }

    #[test]
    fn results_are_summed() {
        let report = after(&[UNIT, OK, FILE, BAD], false);
        assert_eq!(report.last_line(), "8 passed, 2 failed");
        assert!(!report.succeeded());
    }

    #[test]
    fn all_well_is_said_plainly() {
        let report = after(&[UNIT, OK], true);
        assert_eq!(report.last_line(), "5 passed, 0 failed");
        assert!(report.succeeded());
        assert!(report.table().contains("1 tests are marked #[ignore]"));
    }

    #[test]
    fn names_and_results_are_matched_by_order_even_if_stdout_is_ahead() {
        let table = after(&[UNIT, OK, BAD, FILE], false).table();
        assert!(table.lines().any(|l| l.contains("     5      0      1.2  ostler_crds (unit)")), "{table}");
        assert!(table.lines().any(|l| l.ends_with("apiserver (tests/apiserver/main.rs)")), "{table}");
    }

    #[test]
    fn a_binary_that_dies_without_a_result_is_a_failure() {
        let report = after(&[UNIT, OK, FILE], false);
        assert_eq!(report.last_line(), "5 passed, 1 failed");
        assert!(report.table().contains("2 test binaries were started, 1 told a result"));
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        let report = after(&[UNIT, OK, "error: could not compile `a` (lib test) due to 1 previous error"], false);
        assert_eq!(report.last_line(), "5 passed, 1 failed");
    }

    #[test]
    fn suites_and_earlier_failures_are_counted() {
        let mut report = after(&[UNIT, OK], true);
        report.suite("check.sh", "7 passed, 0 failed", true, 2.0);
        assert_eq!(report.last_line(), "12 passed, 0 failed");
        report.suite("other.sh", "Killed", false, 2.0);
        assert_eq!(report.last_line(), "12 passed, 1 failed");
        let mut report = Report::default();
        report.failed_before(2);
        [UNIT, OK].iter().for_each(|l| report.line(l));
        report.ended(true);
        assert_eq!(report.last_line(), "5 passed, 2 failed");
        assert!(report.table().contains("checks before the tests"));
    }

    #[test]
    fn what_a_suite_skips_is_told() {
        let mut report = after(&[UNIT, OK], true);
        report.suite("conformance", "138 passed, 0 failed, 2 skipped", true, 2.0);
        assert_eq!(report.last_line(), "143 passed, 0 failed");
        assert!(report.table().contains("2 tests of conformance were skipped"), "{}", report.table());
        assert_eq!(tally("1 passed, 2 failed, many skipped"), None);
    }

    #[test]
    fn no_test_at_all_is_a_failure() {
        assert_eq!(after(&[], true).last_line(), "0 passed, 1 failed");
    }

    #[test]
    fn a_test_that_prints_something_alike_is_not_counted() {
        assert_eq!(result("the test result: ok. 5 passed"), None);
        assert_eq!(started("Running away"), None);
    }
}
