//! The stock `openstack` client, installed into the cache by tests/clients/venv.sh.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

use crate::paths::repository;
use crate::script::output;

/// Longest run of a command in seconds: a client that waits for what never comes is ended.
const PATIENCE: &str = "180";

/// An `openstack` client with the credentials of one user. It keeps no state between calls.
#[derive(Debug, Clone)]
pub struct OpenStackCli {
    venv: PathBuf,
    env: Vec<(String, String)>,
}

impl OpenStackCli {
    /// Installs the client if need be (about 15 s), for a Keystone at `auth_url` (`http://…/v3`).
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn new(auth_url: &str, user: &str, password: &str, project: &str) -> Result<Self> {
        let venv = output(&mut Command::new(repository().join("tests/clients/venv.sh")))?;
        let pairs = [
            ("OS_AUTH_URL", auth_url),
            ("OS_IDENTITY_API_VERSION", "3"),
            ("OS_USERNAME", user),
            ("OS_PASSWORD", password),
            ("OS_USER_DOMAIN_NAME", "Default"),
            ("OS_PROJECT_NAME", project),
            ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ];
        let env = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        Ok(Self { venv: PathBuf::from(venv), env })
    }

    /// The same for an application credential.
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn with_application_credential(auth_url: &str, id: &str, secret: &str) -> Result<Self> {
        let venv = output(&mut Command::new(repository().join("tests/clients/venv.sh")))?;
        let pairs = [
            ("OS_AUTH_URL", auth_url),
            ("OS_AUTH_TYPE", "v3applicationcredential"),
            ("OS_APPLICATION_CREDENTIAL_ID", id),
            ("OS_APPLICATION_CREDENTIAL_SECRET", secret),
        ];
        let env = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        Ok(Self { venv: PathBuf::from(venv), env })
    }

    /// Sets one more variable, for example `OS_COMPUTE_API_VERSION`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs `openstack ARGS` and gives its output and status, whatever they are. It takes a second or more: from an
    /// async test call it in `spawn_blocking`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, args: &[&str]) -> Result<Output> {
        self.program("bin/openstack", args)
    }

    /// Runs a Python script with the SDK beside it and this user's variables, and gives its output and status.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn script(&self, script: &Path, args: &[&str]) -> Result<Output> {
        let path = script.to_str().context("a path that is no UTF-8")?;
        self.program("bin/python", &[&[path], args].concat())
    }

    fn program(&self, name: &str, args: &[&str]) -> Result<Output> {
        Command::new("timeout")
            .args(["--kill-after=5", PATIENCE])
            .arg(self.venv.join(name))
            .args(args)
            // No foreign OS_* variable and no proxy may come in.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", std::env::temp_dir())
            .env("LC_ALL", "C.UTF-8")
            .envs(self.env.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .output()
            .context("timeout")
    }

    /// Runs `openstack ARGS` and gives its stdout.
    ///
    /// # Errors
    /// It fails; the error has what it said.
    pub fn text(&self, args: &[&str]) -> Result<String> {
        let out = self.run(args)?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "openstack {} failed ({}):\n{said}", args.join(" "), out.status);
        Ok(String::from_utf8(out.stdout)?)
    }

    /// Runs `openstack ARGS -f json` and reads the answer.
    ///
    /// # Errors
    /// It fails or prints no JSON.
    pub fn json(&self, args: &[&str]) -> Result<serde_json::Value> {
        let text = self.text(&[args, &["-f", "json"]].concat())?;
        serde_json::from_str(&text).with_context(|| text)
    }
}
