//! What cargo says of the crates here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// `cargo metadata`, as far as it is read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build` or nothing.
    kind: Option<String>,
}

/// The direct dependencies of each crate of the workspace, dev-dependencies left out.
pub fn direct_dependencies(root: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    parse_metadata(&cargo(root, &["metadata", "--format-version=1", "--no-deps", "--offline"])?)
}

/// All that is built into a crate when it alone is built: names of crates.
pub fn beneath(root: &Path, package: &str) -> Result<BTreeSet<String>> {
    // Unlike `cargo metadata`, `cargo tree -p` does not mix in the features that other crates of the workspace ask for.
    let args = ["tree", "--offline", "-p", package, "--edges=normal,build", "--prefix=none", "--format={p}"];
    Ok(parse_tree(&cargo(root, &args)?))
}

fn cargo(root: &Path, args: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo).current_dir(root).args(args).output().context("cargo")?;
    ensure!(out.status.success(), "cargo {} failed:\n{}", args.join(" "), String::from_utf8_lossy(&out.stderr));
    Ok(String::from_utf8(out.stdout)?)
}

fn parse_metadata(json: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let metadata: Metadata = serde_json::from_str(json)?;
    let shipped = |d: &Dependency| d.kind.as_deref() != Some("dev");
    let names = |p: Package| p.dependencies.into_iter().filter(shipped).map(|d| d.name).collect();
    Ok(metadata.packages.into_iter().map(|p| (p.name.clone(), names(p))).collect())
}

fn parse_tree(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_dependencies_are_left_out() {
        let json = r#"{"packages": [{"name": "a", "dependencies": [
            {"name": "b", "kind": null}, {"name": "c", "kind": "dev"}, {"name": "d", "kind": "build"}]}]}"#;
        let found = parse_metadata(json).unwrap();
        assert_eq!(found["a"], BTreeSet::from(["b".to_owned(), "d".to_owned()]));
    }

    #[test]
    fn a_tree_is_a_set_of_names() {
        let text = "ostler-crds v0.1.0 (/x/crds)\nserde v1.0.0\nserde v1.0.0 (*)\n\nserde_derive v1.0.0 (proc-macro)\n";
        let names = ["ostler-crds", "serde", "serde_derive"].map(str::to_owned);
        assert_eq!(parse_tree(text), BTreeSet::from(names));
    }
}
