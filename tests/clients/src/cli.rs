//! The stock client in an async test: its commands block, and the other tasks go on.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use ostler_test_harness::OpenStackCli;
use serde_json::Value;
use tokio::task::block_in_place;

/// The stock client of a user.
#[derive(Debug, Clone)]
pub struct Cli(OpenStackCli);

impl Cli {
    /// As [`OpenStackCli::new`].
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn new(auth_url: &str, user: &str, password: &str, project: &str) -> Result<Self> {
        block_in_place(|| OpenStackCli::new(auth_url, user, password, project)).map(Self)
    }

    /// As [`OpenStackCli::with_application_credential`].
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn with_application_credential(auth_url: &str, id: &str, secret: &str) -> Result<Self> {
        block_in_place(|| OpenStackCli::with_application_credential(auth_url, id, secret)).map(Self)
    }

    /// With one more variable.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        Self(self.0.with(name, value))
    }

    /// What `openstack ARGS` prints.
    ///
    /// # Errors
    /// It fails; the error has what it said.
    pub fn text(&self, args: &[&str]) -> Result<String> {
        block_in_place(|| self.0.text(args))
    }

    /// What `openstack ARGS -f json` prints.
    ///
    /// # Errors
    /// It fails, or prints no JSON.
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        block_in_place(|| self.0.json(args))
    }

    /// What `openstack ARGS` says when it fails.
    ///
    /// # Errors
    /// It succeeds.
    pub fn refused(&self, args: &[&str]) -> Result<String> {
        let out = block_in_place(|| self.0.run(args))?;
        ensure!(!out.status.success(), "it succeeded:\n{}", String::from_utf8_lossy(&out.stdout));
        Ok(String::from_utf8_lossy(&out.stderr).into_owned())
    }

    /// Runs `sdk.py ARGS`, and gives the JSON document that it prints.
    ///
    /// # Errors
    /// It fails; the error has what it said.
    pub fn sdk(&self, args: &[&str]) -> Result<Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk.py");
        let out = block_in_place(|| self.0.script(&script, args))?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "sdk.py {} failed ({}):\n{said}", args.join(" "), out.status);
        serde_json::from_slice(&out.stdout).with_context(|| String::from_utf8_lossy(&out.stdout).into_owned())
    }
}
