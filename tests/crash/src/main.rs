//! `make crash`: every point of every operation. The last line has the counts.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use ostler_tests_crash::{OPERATIONS, Operation, Stage, Tally, operation::named};

/// Crashes the node role and the manager after every step and every write of these operations.
#[derive(Parser)]
struct Cli {
    /// Names of operations; none: all.
    operations: Vec<String>,
    /// Only tell their names.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
#[allow(clippy::print_stdout)]
async fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    if cli.list {
        OPERATIONS.iter().for_each(|o| println!("{}", o.name));
        return Ok(ExitCode::SUCCESS);
    }
    let find = |name: &String| named(name).with_context(|| format!("there is no operation {name}; see --list"));
    let wanted: Vec<&Operation> = match cli.operations.as_slice() {
        [] => OPERATIONS.iter().collect(),
        names => names.iter().map(find).collect::<Result<_>>()?,
    };
    let mut sum = Tally::default();
    for operation in wanted {
        let began = std::time::Instant::now();
        let mut stage = Stage::new("crash").await?;
        let tally = stage.every_point(operation, &|line| println!("    {line}")).await?;
        println!("{:<24} {tally} ({} s)", operation.name, began.elapsed().as_secs());
        tally.wrong.iter().for_each(|w| println!("  WRONG {w}"));
        sum.add(tally);
    }
    println!("{sum}");
    let points = sum.points > 0;
    Ok(if sum.wrong.is_empty() && sum.disturbed == 0 && points { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
