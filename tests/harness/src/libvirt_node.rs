//! A libvirtd of its own, in namespaces of its own, with QEMU and networks: tests/cluster/libvirt-node.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::repository;
use crate::scratch::{Scratch, unique_path};
use crate::script::{Script, output};
use crate::small_disk::SmallDisk;

/// A running libvirtd. When it is dropped or the test process ends, it and all guests end at once.
#[derive(Debug)]
pub struct LibvirtNode {
    // Fields drop in order: first the processes, then the folder.
    script: Script,
    dir: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    Folder(Scratch),
    Disk(SmallDisk),
}

impl LibvirtNode {
    /// Starts one; needs root. Its state folder is new and has the same path inside and outside.
    ///
    /// # Errors
    /// It does not start; the error has the end of the log.
    pub fn start(name: &str) -> Result<Self> {
        let state = Scratch::new(&format!("st-{name}"))?;
        // QEMU runs as another user.
        std::fs::set_permissions(state.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Self::start_with(name, State::Folder(state))
    }

    /// Starts one whose state folder is a file system of its own.
    ///
    /// # Errors
    /// As [`LibvirtNode::start`].
    pub fn start_on(name: &str, disk: SmallDisk) -> Result<Self> {
        Self::start_with(name, State::Disk(disk))
    }

    fn start_with(name: &str, state: State) -> Result<Self> {
        // Short paths: a socket's has at most 107 bytes.
        let dir = unique_path(&format!("lv-{name}"));
        let log = unique_path(&format!("lv-{name}.log"));
        let script = Script::start(
            &Self::program(),
            &["run", "--dir", path(&dir)?, "--state", path(state.path())?, "--name", name],
            &log,
        )?;
        // Its own logs are in its folder; this one has told of a failed start or has nothing to tell.
        std::fs::remove_file(&log)?;
        Ok(Self { script, dir, state })
    }

    /// The file system of its state folder, if it was started on one of its own.
    pub fn disk(&self) -> Option<&SmallDisk> {
        match &self.state {
            State::Folder(_) => None,
            State::Disk(disk) => Some(disk),
        }
    }

    fn program() -> PathBuf {
        repository().join("tests/cluster/libvirt-node")
    }

    /// The URI for clients outside, `qemu+unix:///system?socket=…`.
    pub fn uri(&self) -> &str {
        self.script.ready()
    }

    /// The network namespace of its bridges, for `--network-namespace` of the node role.
    ///
    /// # Errors
    /// It does not run.
    pub fn network_namespace(&self) -> Result<PathBuf> {
        let init = std::fs::read_to_string(self.dir.join("init.pid")).context("the sandbox's init.pid")?;
        Ok(PathBuf::from(format!("/proc/{}/ns/net", init.split_whitespace().next().unwrap_or_default())))
    }

    /// The folder for `--state-dir` of the node role.
    pub fn state_dir(&self) -> &Path {
        self.state.path()
    }

    /// Runs a command inside its namespaces, for example `virsh list` or `ssh` to a guest, and gives its stdout.
    ///
    /// # Errors
    /// The command fails.
    pub fn enter(&self, command: &[&str]) -> Result<String> {
        output(Command::new(Self::program()).args(["enter", "--dir", path(&self.dir)?, "--"]).args(command))
    }

    /// Ends libvirtd and keeps it from starting until [`LibvirtNode::let_libvirtd_start`]; guests go on.
    ///
    /// # Errors
    /// It does not end.
    pub fn keep_libvirtd_down(&self) -> Result<()> {
        // Whoever starts it gets `false` instead.
        let script =
            "p=$(command -v libvirtd) && mount --bind /bin/false \"$p\" && kill -9 \"$(cat /run/libvirtd.pid)\"";
        self.enter(&["sh", "-c", script]).map(drop)
    }

    /// Lets libvirtd start again.
    ///
    /// # Errors
    /// It was not kept down.
    pub fn let_libvirtd_start(&self) -> Result<()> {
        self.enter(&["sh", "-c", "umount \"$(command -v libvirtd)\""]).map(drop)
    }

    /// Ends libvirtd, which starts again; guests go on.
    ///
    /// # Errors
    /// It does not come back.
    pub fn restart_libvirtd(&self) -> Result<()> {
        output(Command::new(Self::program()).args(["restart", "--dir", path(&self.dir)?])).map(drop)
    }
}

impl State {
    fn path(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder.path(),
            Self::Disk(disk) => disk.path(),
        }
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no UTF-8")
}
