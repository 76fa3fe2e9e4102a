//! What a run is told by its command line, or by the variables of `make conformance`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

/// Runs tempest against real parts.
#[derive(Debug, Parser)]
#[command(name = "conformance", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs lists of tests against the stack that is kept, or else against one of their own.
    Run(RunArgs),
    /// Starts a stack and holds it until SIGTERM or SIGINT. Programs that are built anew meanwhile are started anew.
    Up,
    /// Says where the stack is that is kept; fails if there is none.
    Status,
    /// Ends the stack that is kept.
    Down,
}

/// What to run, and how.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Files of test expressions, one a line; `#` begins a comment. Default: the project's three lists.
    #[arg(long, env = "LIST", value_delimiter = ' ', num_args = 0..)]
    pub list: Vec<PathBuf>,
    /// Lowest microversion that tests send. Default: 2.1, and with the default lists again 2.72 and 2.87.
    #[arg(long, env = "FLOOR", value_delimiter = ' ', num_args = 0..)]
    pub floor: Vec<Version>,
    /// Start a stack of our own even where one is kept.
    #[arg(long)]
    pub own_stack: bool,
    /// Tests at once.
    #[arg(long, env = "WORKERS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=8))]
    pub workers: u32,
}

/// A microversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Always 2.
    pub major: u32,
    /// The rest.
    pub minor: u32,
}

impl std::str::FromStr for Version {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (major, minor) = text.split_once('.').context("a microversion is MAJOR.MINOR")?;
        Ok(Self { major: major.parse()?, minor: minor.parse()? })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The microversion of a request that names none.
pub const LOWEST: Version = Version { major: 2, minor: 1 };

impl RunArgs {
    /// The floors to run at, one after the other.
    pub fn floors(&self) -> Vec<Version> {
        match (self.floor.is_empty(), self.list.is_empty()) {
            (false, _) => self.floor.clone(),
            (true, true) => [1, 72, 87].map(|minor| Version { major: 2, minor }).to_vec(),
            (true, false) => vec![LOWEST],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_and_not_texts() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("2.9") < version("2.72") && version("2.100") > version("2.96"));
        assert!("2".parse::<Version>().is_err() && "2.x".parse::<Version>().is_err());
    }

    #[test]
    fn the_default_lists_run_at_three_floors_and_one_of_your_own_at_the_lowest() {
        let args = |list: &[&str], floor: &[&str]| RunArgs {
            list: list.iter().map(PathBuf::from).collect(),
            floor: floor.iter().map(|f| f.parse().unwrap()).collect(),
            own_stack: false,
            workers: 2,
        };
        let shown = |a: RunArgs| a.floors().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(shown(args(&[], &[])), "2.1 2.72 2.87");
        assert_eq!(shown(args(&["x"], &[])), "2.1");
        assert_eq!(shown(args(&["x"], &["2.72"])), "2.72");
    }
}
