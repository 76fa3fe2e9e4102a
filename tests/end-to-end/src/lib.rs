//! A demo of a test's own: all of Ostler on a Kubernetes of its own, as `make demo` brings it up.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ostler_test_harness::{
    janitor::Janitor,
    paths::{binary, repository},
    process::tail,
    scratch::unique_path,
};
use serde_json::Value;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A demo in a folder of its own. It goes down when it is dropped and also when the test process is killed.
#[derive(Debug)]
pub struct Demo {
    dir: PathBuf,
    _janitor: Janitor,
}

impl Demo {
    /// Prepares a folder for a demo; nothing runs yet.
    ///
    /// # Errors
    /// The janitor does not start.
    pub fn new() -> Result<Self> {
        let dir = unique_path("demo");
        let janitor = Janitor::hire("OSTLER_DEMO_DIR=\"$0\" exec \"$1\" down", [&dir, &script()])?;
        Ok(Self { dir, _janitor: janitor })
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs `demo.sh up` with the binaries of this test's target folder and with more variables, and gives what it
    /// printed.
    ///
    /// # Errors
    /// A step fails; the error has all that it said.
    pub fn up(&self, env: &[(&str, &str)]) -> Result<String> {
        let profile = binary("controller")?;
        let target = profile.ancestors().nth(2).context("no target folder")?;
        let out = Command::new(script())
            .arg("up")
            .env_remove("KUBECONFIG")
            .env("OSTLER_DEMO_DIR", &self.dir)
            .env("OSTLER_DEMO_KEEP_BINARIES", "1")
            .env("CARGO_TARGET_DIR", target)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        ensure!(out.status.success(), "demo.sh up: {}\n{said}", out.status);
        Ok(said)
    }

    /// Runs `demo.sh down`.
    ///
    /// # Errors
    /// It fails.
    pub fn down(&self) -> Result<()> {
        let out = Command::new(script()).arg("down").env("OSTLER_DEMO_DIR", &self.dir).output()?;
        ensure!(out.status.success(), "demo.sh down: {}", String::from_utf8_lossy(&out.stderr));
        Ok(())
    }

    /// Runs a script in a user's shell: an empty environment in which nothing but the demo's `env` was sourced.
    ///
    /// # Errors
    /// A command of it fails; the error has what it said.
    pub fn shell(&self, commands: &str) -> Result<String> {
        let mut bash = Command::new("env")
            .args(["-i", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
            .arg(format!("HOME={}", self.dir.display()))
            .args(["bash", "-euo", "pipefail"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("bash")?;
        let mut stdin = bash.stdin.take().context("stdin")?;
        // In braces, so that no command reads the rest of the script as its stdin.
        writeln!(stdin, ". '{}/env'\n{{\n{commands}\n}} </dev/null", self.dir.display())?;
        drop(stdin);
        let out = bash.wait_with_output()?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "{commands}\nfailed ({}):\n{}", out.status, tail(&said, 20));
        Ok(String::from_utf8_lossy(&out.stdout).trim_end().to_owned())
    }

    /// The same for a command that prints JSON.
    ///
    /// # Errors
    /// It fails or prints no JSON.
    pub fn json(&self, commands: &str) -> Result<Value> {
        let text = self.shell(commands)?;
        serde_json::from_str(&text).with_context(|| text)
    }

    /// Runs a command inside the cluster's sandbox, as its root.
    ///
    /// # Errors
    /// It fails.
    pub fn inside(&self, command: &[&str]) -> Result<String> {
        let mut enter = Command::new(repository().join("tests/cluster/cluster"));
        enter.args(["enter", "--dir"]).arg(self.dir.join("cluster")).arg("--").args(command);
        ostler_test_harness::script::output(&mut enter)
    }

    /// Asks again and again until `commands` print `wanted`.
    ///
    /// # Errors
    /// They never did in [`PATIENCE`]; the error has what came last.
    pub fn until(&self, commands: &str, wanted: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let last = self.shell(commands);
            match last {
                Ok(text) if text == wanted => return Ok(()),
                last if Instant::now() > end => bail!("{commands}\nwas to print {wanted:?}, and at last: {last:?}"),
                _ => std::thread::sleep(Duration::from_millis(500)),
            }
        }
    }
}

fn script() -> PathBuf {
    repository().join("tests/demo/demo.sh")
}
