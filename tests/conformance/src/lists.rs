//! Lists of test expressions: a regular expression a line, `#` begins a comment line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use ostler_test_harness::paths::repository;
use regex::Regex;

/// The expressions of some lists.
#[derive(Debug, Default)]
pub struct Expressions(Vec<Regex>);

/// The project's own lists.
pub fn own() -> Vec<PathBuf> {
    ["t1", "t2", "t3"].map(|tier| repository().join(format!("tests/conformance/lists/{tier}.txt"))).to_vec()
}

/// Reads files.
///
/// # Errors
/// One cannot be read, or a line is no regular expression, or there is no expression at all.
pub fn read(files: &[PathBuf]) -> Result<Expressions> {
    let mut all = Expressions::default();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        all.add(&text).with_context(|| format!("in {}", shown(file)))?;
    }
    ensure!(!all.0.is_empty(), "the lists hold no expression");
    Ok(all)
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

impl Expressions {
    fn add(&mut self, text: &str) -> Result<()> {
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            self.0.push(Regex::new(line).with_context(|| line.to_owned())?);
        }
        Ok(())
    }

    /// The tests that an expression names, in their order.
    pub fn select<'a>(&self, tests: &'a [String]) -> Vec<&'a str> {
        tests.iter().map(String::as_str).filter(|t| self.0.iter().any(|e| e.is_match(t))).collect()
    }

    /// The expressions that name no test: the list is of another tempest, or has a slip of the pen.
    pub fn idle(&self, tests: &[String]) -> Vec<&str> {
        let idle = |e: &&Regex| !tests.iter().any(|t| e.is_match(t));
        self.0.iter().filter(idle).map(Regex::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expressions(text: &str) -> Expressions {
        let mut all = Expressions::default();
        all.add(text).unwrap();
        all
    }

    #[test]
    fn comments_are_left_out_and_an_expression_that_names_nothing_is_told() {
        let tests = ["a.B.test_x[id-1]".to_owned(), "a.B.test_xy[id-2]".to_owned()];
        let list = expressions("# words\n\n  ^a\\.B\\.test_x(\\[|$)\n^gone$\n");
        assert_eq!(list.select(&tests), ["a.B.test_x[id-1]"]);
        assert_eq!(list.idle(&tests), ["^gone$"]);
    }

    #[test]
    fn every_line_of_our_own_lists_is_an_expression() {
        assert!(read(&own()).is_ok());
    }
}
