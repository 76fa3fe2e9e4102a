//! Runs the workspace's tests and counts what all test binaries say together.

mod report;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context, Result};

use report::Report;

/// Builds the binaries that tests start, runs `cargo test` and the suites, and ends with the line `N passed, N failed`.
#[allow(clippy::print_stdout)]
pub fn run(root: &Path, already_failed: u64, suites: &[String], cargo_args: &[String]) -> Result<ExitCode> {
    let mut report = Report::default();
    report.failed_before(already_failed);
    let built = Command::new(root.join("tests/crash/build.sh")).status().context("tests/crash/build.sh")?;
    if built.success() {
        cargo_test(root, cargo_args, &mut report)?;
        for suite in suites {
            run_suite(root, suite, &mut report)?;
        }
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

fn cargo_test(root: &Path, cargo_args: &[String], report: &mut Report) -> Result<()> {
    let mut test = cargo(root);
    test.args(["test", "--no-fail-fast", "--color=never"]);
    match cargo_args {
        [] => test.arg("--workspace"),
        given => test.args(given),
    };
    let success = stream(test, |line| report.line(line))?;
    report.ended(success);
    Ok(())
}

fn run_suite(root: &Path, suite: &str, report: &mut Report) -> Result<()> {
    let started = Instant::now();
    let mut last = String::new();
    let mut words = suite.split_whitespace();
    let mut script = Command::new(root.join(words.next().unwrap_or_default()));
    script.args(words).current_dir(root);
    let success = stream(script, |line| line.clone_into(&mut last))?;
    report.suite(suite, &last, success, started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a command, shows every line at once and lets `see` have it. Says whether it succeeded.
fn stream(mut command: Command, mut see: impl FnMut(&str)) -> Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context(name)?;
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
        see(&line);
    }
    for reader in readers {
        reader.join().map_err(|_| anyhow::anyhow!("a reading thread panicked"))??;
    }
    Ok(child.wait()?.success())
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
