//! A file system of a few MiB that a test can fill.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::janitor::Janitor;
use crate::scratch::unique_path;
use crate::script::output;

/// A tmpfs that is gone when this is dropped or when the test process has ended. Needs root.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
    _janitor: Janitor,
}

impl SmallDisk {
    /// Mounts an empty one that others may pass through.
    ///
    /// # Errors
    /// It cannot be mounted.
    pub fn mount(name: &str, mib: u32) -> Result<Self> {
        Self::mount_at(unique_path(name), mib)
    }

    /// Mounts it at this path.
    ///
    /// # Errors
    /// It cannot be mounted.
    pub fn mount_at(path: PathBuf, mib: u32) -> Result<Self> {
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        let options = format!("size={mib}m,mode=0755");
        output(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "ostler-test"]).arg(&path))?;
        let janitor = Janitor::hire("umount -l -- \"$0\"; exec rmdir -- \"$0\"", [&path])?;
        Ok(Self { path, _janitor: janitor })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fills it with a file of its own, `ballast`, until `bytes` are free.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn leave_free(&self, bytes: u64) -> Result<()> {
        let ballast = self.path.join("ballast");
        std::fs::write(&ballast, "")?;
        let out = output(Command::new("stat").args(["-f", "-c", "%a %S"]).arg(&self.path))?;
        let (blocks, size) = out.split_once(' ').context("stat")?;
        let available = blocks.parse::<u64>()? * size.parse::<u64>()?;
        // The kernel has no way to reserve nothing.
        let length = available.saturating_sub(bytes).max(1).to_string();
        output(Command::new("fallocate").args(["-l", &length]).arg(&ballast)).map(drop)
    }
}
