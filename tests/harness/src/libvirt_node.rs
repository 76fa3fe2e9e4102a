//! A libvirtd of its own, in namespaces of its own, with QEMU and networks: tests/cluster/libvirt-node.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::repository;
use crate::scratch::unique_path;
use crate::script::{Script, output};

/// A running libvirtd. When it is dropped or the test process ends, it and all guests end at once.
#[derive(Debug)]
pub struct LibvirtNode {
    script: Script,
    dir: PathBuf,
    state: PathBuf,
}

impl LibvirtNode {
    /// Starts one; needs root. Its state folder is new and has the same path inside and outside.
    ///
    /// # Errors
    /// It does not start; the error has the end of the log.
    pub fn start(name: &str) -> Result<Self> {
        // Short paths: a socket's has at most 107 bytes.
        let dir = unique_path(&format!("lv-{name}"));
        let state = unique_path(&format!("st-{name}"));
        let log = unique_path(&format!("lv-{name}.log"));
        let script = Script::start(
            &Self::program(),
            &["run", "--dir", path(&dir)?, "--state", path(&state)?, "--name", name],
            &log,
        )?;
        // Its own logs are in its folder; this one has told of a failed start or has nothing to tell.
        std::fs::remove_file(&log)?;
        Ok(Self { script, dir, state })
    }

    fn program() -> PathBuf {
        repository().join("tests/cluster/libvirt-node")
    }

    /// The URI for clients outside, `qemu+unix:///system?socket=…`.
    pub fn uri(&self) -> &str {
        self.script.ready()
    }

    /// The folder for `--state-dir` of the node role.
    pub fn state_dir(&self) -> &Path {
        &self.state
    }

    /// Runs a command inside its namespaces, for example `virsh list` or `ssh` to a guest, and gives its stdout.
    ///
    /// # Errors
    /// The command fails.
    pub fn enter(&self, command: &[&str]) -> Result<String> {
        output(Command::new(Self::program()).args(["enter", "--dir", path(&self.dir)?, "--"]).args(command))
    }

    /// Ends libvirtd, which starts again; guests go on.
    ///
    /// # Errors
    /// It does not come back.
    pub fn restart_libvirtd(&self) -> Result<()> {
        output(Command::new(Self::program()).args(["restart", "--dir", path(&self.dir)?])).map(drop)
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no UTF-8")
}
