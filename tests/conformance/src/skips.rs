//! The table of skips: what need not run, and why. A skip that is not in it counts as failed.

use anyhow::{Context, Result, ensure};
use ostler_test_harness::paths::repository;
use regex::Regex;

use crate::settings::Version;

/// A row.
#[derive(Debug)]
struct Row {
    from: Option<Version>,
    test: Regex,
    reason: String,
}

/// The table.
#[derive(Debug, Default)]
pub struct Skips(Vec<Row>);

impl Skips {
    /// tests/conformance/skips.txt.
    ///
    /// # Errors
    /// It cannot be read, or a row is not of the form that its head describes.
    pub fn own() -> Result<Self> {
        let file = repository().join("tests/conformance/skips.txt");
        Self::read(&std::fs::read_to_string(&file).with_context(|| file.display().to_string())?)
    }

    /// Rows `FLOOR EXPRESSION REASON…`; the floor is `-` for any, or the lowest at which the skip is right.
    fn read(text: &str) -> Result<Self> {
        let mut rows = Vec::new();
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            rows.push(row(line).with_context(|| format!("in the table of skips: {line}"))?);
        }
        Ok(Self(rows))
    }

    /// Why this test need not run at this floor.
    pub fn reason(&self, test: &str, floor: Version) -> Option<&str> {
        let row = self.0.iter().find(|r| r.from.is_none_or(|from| floor >= from) && r.test.is_match(test));
        row.map(|r| r.reason.as_str())
    }
}

fn row(line: &str) -> Result<Row> {
    let (from, rest) = line.split_once(char::is_whitespace).context("no expression")?;
    let (test, reason) = rest.trim_start().split_once(char::is_whitespace).context("no reason")?;
    let reason = reason.trim().to_owned();
    ensure!(!reason.is_empty(), "no reason");
    let from = if from == "-" { None } else { Some(from.parse()?) };
    Ok(Row { from, test: Regex::new(test)?, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_from_its_floor_on() {
        let skips = Skips::read("# head\n- ^a two nodes\n2.36 ^b the proxies end at 2.35\n").unwrap();
        let at = |minor| Version { major: 2, minor };
        assert_eq!(skips.reason("a.test", at(1)), Some("two nodes"));
        assert_eq!(skips.reason("b.test", at(1)), None);
        assert_eq!(skips.reason("b.test", at(72)), Some("the proxies end at 2.35"));
        assert_eq!(skips.reason("c.test", at(72)), None);
    }

    #[test]
    fn a_row_without_a_reason_is_refused() {
        assert!(Skips::read("- ^a").is_err() && Skips::read("- ^a  ").is_err());
    }

    #[test]
    fn our_own_table_can_be_read() {
        Skips::own().unwrap();
    }
}
