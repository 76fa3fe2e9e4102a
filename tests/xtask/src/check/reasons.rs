//! Reasons of conditions and Events: each is explained in docs/reasons.md, and used by a program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};

use super::files::committed;

const NAMES: &str = "crds/src/names.rs";
const DOCUMENT: &str = "docs/reasons.md";
/// Where programs are that set reasons.
const PROGRAMS: [&str; 2] = ["controller/", "api-shim/"];

/// What is wrong with the reasons.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).with_context(|| name.to_owned());
    let constants = constants(&read(NAMES)?);
    let mut used = BTreeSet::new();
    for name in committed(root)? {
        if name.ends_with(".rs") && PROGRAMS.iter().any(|p| name.starts_with(p)) && !name.contains("tests") {
            used.extend(uses(&std::fs::read_to_string(root.join(name)).unwrap_or_default()));
        }
    }
    Ok(judge(&constants, &documented(&read(DOCUMENT)?), &used))
}

/// The constants of the module `reason` and their texts.
fn constants(source: &str) -> BTreeMap<String, String> {
    let module = source.split_once("pub mod reason {").map_or("", |(_, rest)| rest);
    let module = module.split_once("\n}").map_or(module, |(inside, _)| inside);
    let constant = |line: &str| {
        let (name, value) = line.trim().strip_prefix("pub const ")?.split_once(": &str = \"")?;
        Some((name.to_owned(), value.trim_end_matches("\";").to_owned()))
    };
    module.lines().filter_map(constant).collect()
}

/// The reasons that have a row of the table, as often as they have one.
fn documented(text: &str) -> Vec<String> {
    let reason = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    text.lines().filter_map(reason).collect()
}

/// The constants that a source names.
fn uses(source: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>();
    source.split("reason::").skip(1).map(name).filter(|n| !n.is_empty()).collect()
}

fn judge(constants: &BTreeMap<String, String>, documented: &[String], used: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, reason) in constants {
        match documented.iter().filter(|d| *d == reason).count() {
            0 => wrong.push(format!("{DOCUMENT} does not explain the reason {reason} of {NAMES}")),
            1 => {}
            n => wrong.push(format!("{DOCUMENT} explains the reason {reason} {n} times")),
        }
        if !used.contains(name) {
            wrong.push(format!("no program uses reason::{name} of {NAMES}: remove it"));
        }
    }
    let unknown = documented.iter().filter(|d| !constants.values().any(|c| c == *d));
    wrong.extend(unknown.map(|d| format!("{DOCUMENT} explains {d}, which is no reason of {NAMES}")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "pub mod condition {\n    pub const READY: &str = \"Ready\";\n}\npub mod reason {\n    /// It is.\n    \
                          pub const DISK_FULL: &str = \"DiskFull\";\n    pub const BOUND: &str = \"Bound\";\n}\n";

    #[test]
    fn reasons_are_read_from_the_code_and_from_the_table() {
        let found = constants(SOURCE);
        assert_eq!(found["DISK_FULL"], "DiskFull");
        assert_eq!(found.len(), 2);
        assert_eq!(documented("| reason | on |\n|---|---|\n| `DiskFull` | Server |\ntext `Bound`\n"), ["DiskFull"]);
        let wanted = BTreeSet::from(["DISK_FULL".to_owned(), "BOUND".to_owned()]);
        assert_eq!(uses("a(reason::DISK_FULL, ostler_crds::names::reason::BOUND); mod reason::{x}"), wanted);
    }

    #[test]
    fn what_is_missing_unknown_or_unused_is_named() {
        let used = BTreeSet::from(["DISK_FULL".to_owned()]);
        let wrong = judge(&constants(SOURCE), &["DiskFull".to_owned(), "Gone".to_owned()], &used);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(wrong.iter().any(|w| w.contains("does not explain the reason Bound")));
        assert!(wrong.iter().any(|w| w.contains("no program uses reason::BOUND")));
        assert!(wrong.iter().any(|w| w.contains("explains Gone")));
    }
}
