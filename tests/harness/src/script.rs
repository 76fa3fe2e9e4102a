//! The repository's scripts that run in the foreground until their stdin ends, and say `READY VALUE` first.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::tail;

/// A script that runs. Dropping it, or the end of the test process, ends it and all that it started.
#[derive(Debug)]
pub struct Script {
    child: Child,
    ready: String,
}

impl Script {
    /// Runs a script and waits for its `READY` line; what it says on stderr goes to `log`.
    ///
    /// # Errors
    /// It ended without being ready; the error has the end of its log.
    pub fn start(program: &Path, args: &[&str], log: &Path) -> Result<Self> {
        let name = program.display();
        let errors = std::fs::File::create(log).with_context(|| log.display().to_string())?;
        let mut child = Command::new(program)
            .args(args)
            .arg("--tie-to-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| name.to_string())?;
        let out = child.stdout.take().context("stdout")?;
        for line in BufReader::new(out).lines() {
            if let Some(value) = line?.strip_prefix("READY ") {
                return Ok(Self { child, ready: value.to_owned() });
            }
        }
        let status = child.wait()?;
        let said = std::fs::read_to_string(log).unwrap_or_default();
        bail!("{name} ended ({status}) before it was ready:\n{}", tail(&said, 30))
    }

    /// What came after `READY`.
    pub fn ready(&self) -> &str {
        &self.ready
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It cleans up after itself; nothing can be done about a failure here.
        let _ = self.child.wait();
    }
}

/// Runs a command to its end and gives what it printed on stdout, without the last line's end.
///
/// # Errors
/// It failed; the error has the end of its stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let name = PathBuf::from(command.get_program());
    let out = command.stdin(Stdio::null()).output().with_context(|| name.display().to_string())?;
    if !out.status.success() {
        bail!("{} failed ({}):\n{}", name.display(), out.status, tail(&String::from_utf8_lossy(&out.stderr), 30));
    }
    Ok(String::from_utf8(out.stdout)?.trim_end().to_owned())
}
