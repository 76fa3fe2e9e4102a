//! tempest itself: its tests, and a run of some of them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use ostler_test_harness::paths::repository;
use ostler_test_harness::script::output;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::judge::{Outcome, bare};

/// An installed tempest.
#[derive(Debug, Clone)]
pub struct Tempest {
    venv: PathBuf,
}

impl Tempest {
    /// Installs it into the cache if need be (about 30 s).
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn install() -> Result<Self> {
        let requirements = repository().join("tests/conformance/requirements.txt");
        let mut script = std::process::Command::new(repository().join("tests/clients/venv.sh"));
        Ok(Self { venv: PathBuf::from(output(script.arg(requirements))?) })
    }

    /// A command of the installation that knows nothing of this machine's user: no credentials, no proxy, no home.
    fn command(&self, program: &str, dir: &Path) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut paths = vec![self.venv.join("bin")];
        paths.extend(std::env::split_paths(&path));
        let mut command = Command::new(self.venv.join("bin").join(program));
        command
            .env_clear()
            .env("PATH", std::env::join_paths(paths).unwrap_or(path))
            .env("HOME", dir)
            .env("LC_ALL", "C.UTF-8")
            .env("PYTHONUNBUFFERED", "1")
            .current_dir(dir)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// The ids of all tests.
    ///
    /// # Errors
    /// tempest fails.
    pub async fn tests(&self, configuration: &Path) -> Result<Vec<String>> {
        let dir = configuration.parent().context("no folder")?;
        ensure!(self.command("stestr", dir).arg("init").status().await?.success(), "stestr makes no repository");
        let mut command = self.command("tempest", dir);
        let out = command.args(["run", "--list-tests", "--config-file"]).arg(configuration).output().await?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "tempest cannot list its tests ({}):\n{said}", out.status);
        let text = String::from_utf8(out.stdout)?;
        Ok(text.lines().filter(|l| l.starts_with("tempest.")).map(str::to_owned).collect())
    }

    /// Runs these tests, `workers` at once, and tells of each as it ends.
    ///
    /// # Errors
    /// tempest cannot be started or breaks off.
    pub async fn run(
        &self,
        configuration: &Path,
        tests: &[&str],
        workers: u32,
        mut tell: impl FnMut(&Outcome),
    ) -> Result<Vec<Outcome>> {
        let dir = configuration.parent().context("no folder")?;
        let list = dir.join("tests.txt");
        let expressions: Vec<String> = tests.iter().map(|t| format!("^{}(\\[|$)\n", regex::escape(bare(t)))).collect();
        std::fs::write(&list, expressions.concat())?;
        let mut tempest = self.command("tempest", dir);
        tempest.args(["run", "--subunit", "--concurrency", &workers.to_string(), "--config-file"]).arg(configuration);
        let said = std::fs::File::create(dir.join("logs/stestr.log"))?;
        let mut tempest = tempest.arg("--include-list").arg(&list).stdout(Stdio::piped()).stderr(said).spawn()?;
        let stream: Stdio = tempest.stdout.take().context("stdout")?.try_into()?;
        let mut reader = self.command("python", dir);
        let reader = reader.arg(repository().join("tests/conformance/results.py")).stdin(stream).stdout(Stdio::piped());
        let mut reader = reader.spawn()?;
        let mut lines = BufReader::new(reader.stdout.take().context("stdout")?).lines();
        let mut outcomes = Vec::new();
        while let Some(line) = lines.next_line().await? {
            let outcome: Outcome = serde_json::from_str(&line).with_context(|| line.clone())?;
            tell(&outcome);
            outcomes.push(outcome);
        }
        ensure!(reader.wait().await?.success(), "the stream of results could not be read");
        // Its status says only that a test failed; one that it forgot has no outcome.
        tempest.wait().await?;
        Ok(outcomes)
    }
}
