//! Folders for the files of a test process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::janitor::Janitor;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed when it is dropped or when the test process has ended.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _janitor: Janitor,
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
        let work = if keep_logs() { ":" } else { "exec rm -rf -- \"$0\"" };
        let janitor = Janitor::hire(work, [&path])?;
        Ok(Self { path, _janitor: janitor })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
