//! Repository chores, `cargo xtask VERB`:
//!
//! | verb | does |
//! |---|---|
//! | `crds` | renders the CRDs from crds/src into the chart |
//! | `check` | what no compiler checks: CRD drift, arrows between crates, file sizes, paths of one machine, reasons |
//! | `test` | runs all tests and counts them |

mod check;
mod crds;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

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
    /// Check CRD drift, the arrows between the crates, file sizes, paths of one machine, and that reasons are explained.
    Check,
    /// Build the binaries, run all tests of the workspace and end with `N passed, N failed`.
    Test {
        /// Checks that failed before; they are counted as failed.
        #[arg(long, default_value_t = 0)]
        already_failed: u64,
        /// A script with its arguments that is run after the tests and ends with a line `N passed, N failed`, perhaps with
        /// `, N skipped`; may be given again.
        #[arg(long)]
        suite: Vec<String>,
        /// Passed on to `cargo test`, for example `-p ostler-engine`. Default: `--workspace`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        cargo_args: Vec<String>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let root = root()?;
    match Cli::parse().command {
        Command::Crds { check } => crds::run(&root, check).map(|()| ExitCode::SUCCESS),
        Command::Check => check::run(&root),
        Command::Test { already_failed, suite, cargo_args } => test::run(&root, already_failed, &suite, &cargo_args),
    }
}

/// The checkout that cargo was called in, which need not be the one that this program was built in.
fn root() -> anyhow::Result<PathBuf> {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").context("run me by `cargo xtask`")?);
    let root = package.ancestors().find(|dir| dir.join("Cargo.lock").is_file());
    Ok(root.context("no Cargo.lock above tests/xtask")?.to_owned())
}
