//! The arrows between the crates. They are the design: see docs/architecture.md.
//!
//! ```text
//!   controller ─► engine ─► hypervisor ─► crds ◄─ images ◄─ api-shim
//!       └───────► libvirt ─────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::metadata::{beneath, direct_dependencies};

/// What each shipped crate may name of the others. A crate that is not here may name none and be named by none but
/// those whose names tell that they are for tests.
const ALLOWED: [(&str, &[&str]); 7] = [
    ("ostler-crds", &[]),
    ("ostler-images", &["ostler-crds"]),
    ("ostler-hypervisor", &["ostler-crds"]),
    ("ostler-engine", &["ostler-crds", "ostler-hypervisor"]),
    ("ostler-libvirt", &["ostler-crds", "ostler-hypervisor"]),
    ("ostler-controller", &["ostler-crds", "ostler-engine", "ostler-hypervisor", "ostler-images", "ostler-libvirt"]),
    ("ostler-api-shim", &["ostler-crds", "ostler-images"]),
];

/// Crates that may not stand beneath others, however far down: (above, beneath).
const FORBIDDEN: [(&[&str], &[&str]); 2] = [
    // No IO and no clock of its own where decisions are made.
    (
        &["ostler-crds", "ostler-hypervisor", "ostler-engine"],
        &["tokio", "hyper", "kube-client", "kube-runtime", "virt-sys"],
    ),
    // The front door never links libvirt.
    (&["ostler-api-shim", "ostler-images"], &["virt", "virt-sys", "ostler-libvirt"]),
];

/// The only crate that names the bindings to libvirt.
const LIBVIRT_USER: &str = "ostler-libvirt";

type Graph = BTreeMap<String, BTreeSet<String>>;

/// What is wrong with the arrows.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut wrong = judge_direct(&direct_dependencies(root)?);
    for (above, forbidden) in FORBIDDEN {
        for package in above {
            let found = beneath(root, package)?;
            wrong.extend(judge_beneath(package, &found, forbidden));
        }
    }
    Ok(wrong)
}

fn for_tests(package: &str) -> bool {
    package == "xtask" || package.starts_with("ostler-test")
}

fn judge_direct(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for (package, dependencies) in graph {
        if dependencies.iter().any(|d| d == "virt" || d == "virt-sys") && package != LIBVIRT_USER {
            wrong.push(format!("{package} uses the crate virt: only {LIBVIRT_USER} may"));
        }
        if for_tests(package) {
            continue;
        }
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == package) else {
            wrong.push(format!("{package} is not in the table of arrows (tests/xtask/src/check/arrows.rs)"));
            continue;
        };
        for other in dependencies.iter().filter(|d| graph.contains_key(*d)) {
            if !allowed.contains(&other.as_str()) {
                wrong.push(format!("wrong arrow: {package} → {other}"));
            }
        }
    }
    wrong
}

fn judge_beneath(package: &str, found: &BTreeSet<String>, forbidden: &[&str]) -> Vec<String> {
    let bad = forbidden.iter().filter(|f| found.contains(**f));
    bad.map(|f| format!("{f} stands beneath {package}: see `cargo tree -p {package} -i {f}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        edges.iter().map(|(p, d)| ((*p).to_owned(), d.iter().map(|d| (*d).to_owned()).collect())).collect()
    }

    #[test]
    fn allowed_arrows_pass() {
        let good = graph(&[
            ("ostler-crds", &["serde"]),
            ("ostler-hypervisor", &["ostler-crds"]),
            ("ostler-libvirt", &["ostler-hypervisor", "virt"]),
            ("ostler-tests-apiserver", &["ostler-crds"]),
        ]);
        assert_eq!(judge_direct(&good), Vec::<String>::new());
    }

    #[test]
    fn a_wrong_arrow_is_named() {
        let bad = graph(&[("ostler-crds", &["ostler-engine"]), ("ostler-engine", &[])]);
        assert_eq!(judge_direct(&bad), ["wrong arrow: ostler-crds → ostler-engine"]);
    }

    #[test]
    fn libvirt_has_one_user() {
        let bad = graph(&[("ostler-api-shim", &["virt"])]);
        assert_eq!(judge_direct(&bad), ["ostler-api-shim uses the crate virt: only ostler-libvirt may"]);
    }

    #[test]
    fn shipped_crates_do_not_need_test_crates_and_new_crates_must_be_placed() {
        let bad = graph(&[("ostler-crds", &["ostler-test-harness"]), ("ostler-test-harness", &[]), ("new", &[])]);
        let wrong = judge_direct(&bad).join("; ");
        assert!(
            wrong.contains("ostler-crds → ostler-test-harness") && wrong.contains("new is not in the table"),
            "{wrong}"
        );
    }

    #[test]
    fn what_stands_beneath_is_judged_at_any_depth() {
        let found = BTreeSet::from(["serde".to_owned(), "tokio".to_owned()]);
        assert_eq!(judge_beneath("ostler-engine", &found, &["tokio"]).len(), 1);
        assert!(judge_beneath("ostler-engine", &found, &["hyper"]).is_empty());
    }
}
