//! `conformance`: see [`ostler_tests_conformance`].

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use ostler_test_harness::process::tail;
use ostler_tests_conformance::judge::{Outcome, Verdict, judge, last_words};
use ostler_tests_conformance::settings::{Cli, Command, RunArgs, Version};
use ostler_tests_conformance::skips::Skips;
use ostler_tests_conformance::stack::{Stack, built};
use ostler_tests_conformance::tempest::Tempest;
use ostler_tests_conformance::{furnish::Furniture, kept, lists, workspace};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Run(args) => run(&args).await,
        Command::Up => up().await.map(|()| ExitCode::SUCCESS),
        Command::Status => status(),
        Command::Down => down().await.map(|()| ExitCode::SUCCESS),
    }
}

/// Holds a stack, and starts our programs anew when they were built anew.
async fn up() -> Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut runs = built()?;
    let mut stack = tokio::select! {
        stack = Stack::start() => stack?,
        _ = term.recv() => return Ok(()),
        _ = int.recv() => return Ok(()),
    };
    kept::tell(&stack, &runs)?;
    let (logs, kubeconfig) = stack.places();
    say(&format!("the stack is up: {}\nlogs: {logs}\nkubeconfig: {kubeconfig}", stack.url()?));
    let mut seen = runs.clone();
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = term.recv() => break,
            _ = int.recv() => break,
        }
        // A program that is being written has another time at the next look.
        let Ok(now) = built() else { continue };
        if now != runs && now == seen {
            say("new builds: starting our programs anew");
            stack.restart_programs().await?;
            runs.clone_from(&now);
            kept::tell(&stack, &runs)?;
        }
        seen = now;
    }
    kept::forget()
}

fn status() -> Result<ExitCode> {
    let Some(kept) = kept::find()? else { return Ok(ExitCode::FAILURE) };
    say(&format!("{}\nlogs: {}\nkubeconfig: {}", kept.url, kept.logs, kept.kubeconfig));
    Ok(ExitCode::SUCCESS)
}

async fn down() -> Result<()> {
    let Some(kept) = kept::find()? else {
        say("no stack is kept");
        return Ok(());
    };
    tokio::process::Command::new("kill").arg(kept.pid.to_string()).status().await.context("kill")?;
    let end = Instant::now() + Duration::from_secs(60);
    while kept::find()?.is_some() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn run(args: &RunArgs) -> Result<ExitCode> {
    let files = if args.list.is_empty() { lists::own() } else { args.list.clone() };
    let (expressions, skips) = (lists::read(&files)?, Skips::own()?);
    let tempest = Tempest::install()?;
    // A stack of our own ends with this value.
    let kept = if args.own_stack { None } else { kept::fresh().await? };
    let (_own, url, furniture, logs) = match kept {
        Some(kept) => (None, kept.url, kept.furniture, kept.logs),
        None => {
            let stack = Stack::start().await?;
            let (url, furniture, logs) = (stack.url()?.to_owned(), stack.furniture().clone(), stack.places().0);
            (Some(stack), url, furniture, logs)
        }
    };
    let mut sum = Sum::default();
    for floor in args.floors() {
        let started = Instant::now();
        let verdicts = pass(&tempest, &expressions, &skips, args, &url, &furniture, floor).await?;
        let part = Sum::of(&verdicts);
        say(&format!("\n==> floor {floor}: {part} after {} s", started.elapsed().as_secs()));
        for (test, verdict) in &verdicts {
            if let Verdict::Failed(words) = verdict {
                say(&format!("FAILED {test}\n    {}", words.replace('\n', "\n    ")));
            }
        }
        sum.add(&part);
    }
    if sum.failed > 0 {
        for program in ["shim", "manager", "node-n1"] {
            let log = std::fs::read_to_string(format!("{logs}/{program}.log")).unwrap_or_default();
            let bad: Vec<&str> = log.lines().filter(|l| l.contains("ERROR") || l.contains("panicked")).collect();
            if !bad.is_empty() {
                say(&format!("---- errors in the log of {program}:\n{}", tail(&bad.join("\n"), 20)));
            }
        }
    }
    say(&sum.to_string());
    Ok(if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One floor.
async fn pass(
    tempest: &Tempest,
    expressions: &lists::Expressions,
    skips: &Skips,
    args: &RunArgs,
    url: &str,
    furniture: &Furniture,
    floor: Version,
) -> Result<BTreeMap<String, Verdict>> {
    let configuration = workspace::make(&kept::folder()?.join("tempest"), url, furniture, floor)?;
    let all = tempest.tests(&configuration).await?;
    let tests = expressions.select(&all);
    say(&format!("==> floor {floor}: {} tests of {}", tests.len(), all.len()));
    let outcomes = tempest.run(&configuration, &tests, args.workers, tell).await?;
    let verdicts = judge(&tests, &outcomes, skips, floor);
    let mut verdicts: BTreeMap<String, Verdict> = verdicts.into_iter().map(|(t, v)| (t.to_owned(), v)).collect();
    for idle in expressions.idle(&all) {
        verdicts.insert(idle.to_owned(), Verdict::Failed("no test has this name".to_owned()));
    }
    Ok(verdicts)
}

fn tell(outcome: &Outcome) {
    let last = last_words(&outcome.said);
    let first = last.lines().next().unwrap_or_default();
    let word = if outcome.status == "success" { "ok" } else { outcome.status.as_str() };
    say(&format!("{word:<5} {:>5.1} s  {}  {first}", outcome.seconds, outcome.id));
}

/// Counts of a run.
#[derive(Debug, Default)]
struct Sum {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Sum {
    fn of(verdicts: &BTreeMap<String, Verdict>) -> Self {
        let mut sum = Self::default();
        for verdict in verdicts.values() {
            match verdict {
                Verdict::Passed => sum.passed += 1,
                Verdict::Failed(_) => sum.failed += 1,
                Verdict::Skipped(_) => sum.skipped += 1,
            }
        }
        sum
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[allow(clippy::print_stdout)]
fn say(text: &str) {
    println!("{text}");
}
