//! Runs the workspace's tests and counts what all test binaries say together.

mod report;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;

use anyhow::{Context, Result};

use report::Report;

/// Builds the binaries that tests start, runs `cargo test` and ends with the line `N passed, N failed`.
#[allow(clippy::print_stdout)]
pub fn run(root: &Path, cargo_args: &[String]) -> Result<ExitCode> {
    let mut report = Report::default();
    let built = cargo(root).args(["build", "--workspace", "--bins"]).status().context("cargo build")?;
    if built.success() {
        stream(root, cargo_args, &mut report)?;
    } else {
        report.broke("the binaries under test do not build");
    }
    println!("\n{}", report.table());
    println!("{}", report.last_line());
    Ok(if report.succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// Runs `cargo test`, shows every line at once and lets the report see it.
fn stream(root: &Path, cargo_args: &[String], report: &mut Report) -> Result<()> {
    let mut test = cargo(root);
    test.args(["test", "--no-fail-fast", "--color=never"]);
    match cargo_args {
        [] => test.arg("--workspace"),
        given => test.args(given),
    };
    let mut child = test.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cargo test")?;
    let (sender, lines) = mpsc::channel::<String>();
    let out = child.stdout.take().context("stdout")?;
    let err = child.stderr.take().context("stderr")?;
    let readers = [
        std::thread::spawn({
            let sender = sender.clone();
            move || forward(out, &mut std::io::stdout(), &sender)
        }),
        std::thread::spawn(move || forward(err, &mut std::io::stderr(), &sender)),
    ];
    for line in lines {
        report.line(&line);
    }
    for reader in readers {
        reader.join().map_err(|_| anyhow::anyhow!("a reading thread panicked"))??;
    }
    report.ended(child.wait()?.success());
    Ok(())
}

fn forward(from: impl std::io::Read, to: &mut impl Write, seen: &mpsc::Sender<String>) -> std::io::Result<()> {
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if from.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        to.write_all(&bytes)?;
        to.flush()?;
        // Nobody listens any more only when the run was given up.
        let _ = seen.send(String::from_utf8_lossy(&bytes).trim_end().to_owned());
    }
}
