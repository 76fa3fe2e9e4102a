//! Repository chores: `cargo xtask crds` renders the CRDs into the chart; more verbs follow the house rules.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Repository chores.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render the CRDs into charts/ostler/crds.
    Crds {
        /// Change nothing; fail if a rendered CRD differs from the committed one.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    match Cli::parse().command {
        Command::Crds { check } => crds(&root, check),
    }
}

fn crds(root: &Path, check: bool) -> anyhow::Result<()> {
    let dir: PathBuf = root.join("charts/ostler/crds");
    std::fs::create_dir_all(&dir)?;
    for crd in ostler_crds::all() {
        let path = dir.join(format!("{}.yaml", crd.spec.names.plural));
        let value = serde_json::to_value(&crd)?;
        let text = format!(
            "# Rendered by `cargo xtask crds` from crds/src: do not edit.\n{}",
            serde_saphyr::to_string(&value)?
        );
        if check {
            let old = std::fs::read_to_string(&path).unwrap_or_default();
            anyhow::ensure!(old == text, "{} is not what crds/src renders: run `cargo xtask crds`", path.display());
        } else {
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
