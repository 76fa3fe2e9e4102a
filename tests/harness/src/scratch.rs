//! Folders for the files of a test process.
//!
//! A static is never dropped and a killed process drops nothing, so a janitor does it: a shell in its own session holds
//! the read end of a pipe and removes the folder when the pipe ends with the test process.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed when it is dropped or when the test process has ended.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    // Its end is the janitor's signal.
    _leash: ChildStdin,
}

/// A path for `name` that no other call gets, in the folder for temporary files.
pub fn unique_path(name: &str) -> PathBuf {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("ostler-{}-{n}-{name}", std::process::id()))
}

/// Whether logs are kept after the tests (`OSTLER_KEEP_LOGS` is set).
pub fn keep_logs() -> bool {
    std::env::var_os("OSTLER_KEEP_LOGS").is_some_and(|v| !v.is_empty())
}

impl Scratch {
    /// Makes an empty folder that only this user may read.
    ///
    /// # Errors
    /// The folder or the janitor cannot be made.
    pub fn new(name: &str) -> Result<Self> {
        let path = unique_path(name);
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let work = if keep_logs() { "cat" } else { "cat; exec rm -rf -- \"$0\"" };
        let mut janitor = Command::new("sh")
            .args(["-c", work])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C at the terminal is for the tests.
            .process_group(0)
            .spawn()
            .context("sh")?;
        let leash = janitor.stdin.take().context("the janitor's stdin")?;
        Ok(Self { path, _leash: leash })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
