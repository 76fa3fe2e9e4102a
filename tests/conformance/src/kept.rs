//! A stack that is kept between runs: who holds it, and where it answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ostler_test_harness::wait_for;
use serde::{Deserialize, Serialize};

use crate::furnish::Furniture;
use crate::stack::{Stack, built};

/// How long a new build may take to run.
const PATIENCE: Duration = Duration::from_secs(120);

/// What `up` tells `run`, in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// The process that holds the stack.
    pub pid: u32,
    /// `http://127.0.0.1:PORT` of the shim.
    pub url: String,
    /// Ids of flavors and images.
    pub furniture: Furniture,
    /// Folder of our programs' logs.
    pub logs: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: String,
    /// The builds that run.
    pub built: String,
}

/// The folder beside our programs for tempest's files and for the note about a kept stack.
///
/// # Errors
/// This program does not lie in a folder.
pub fn folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().context("no folder")?.join("conformance-run"))
}

fn note() -> Result<PathBuf> {
    Ok(folder()?.join("stack.json"))
}

/// The stack that is kept, if its holder still runs.
///
/// # Errors
/// The note cannot be read.
pub fn find() -> Result<Option<Kept>> {
    let note = note()?;
    let Ok(text) = std::fs::read(&note) else { return Ok(None) };
    let kept: Kept = serde_json::from_slice(&text).with_context(|| note.display().to_string())?;
    let program = std::fs::read_link(format!("/proc/{}/exe", kept.pid)).unwrap_or_default();
    Ok(program.to_string_lossy().contains("conformance").then_some(kept))
}

/// The stack that is kept, once it runs the newest builds.
///
/// # Errors
/// It does not come to run them.
pub async fn fresh() -> Result<Option<Kept>> {
    if find()?.is_none() {
        return Ok(None);
    }
    wait_for("the kept stack to run the newest builds", PATIENCE, || async {
        match find()? {
            Some(kept) => Ok((kept.built == built()?).then_some(Some(kept))),
            None => bail!("the kept stack has ended"),
        }
    })
    .await
}

/// Tells of a stack that this process holds, and that runs these builds.
///
/// # Errors
/// The note cannot be written.
pub fn tell(stack: &Stack, built: &str) -> Result<()> {
    let (logs, kubeconfig) = stack.places();
    let kept = Kept {
        pid: std::process::id(),
        url: stack.url()?.to_owned(),
        furniture: stack.furniture().clone(),
        logs,
        kubeconfig,
        built: built.to_owned(),
    };
    write_whole(&note()?, &serde_json::to_vec_pretty(&kept)?)
}

/// Forgets it.
///
/// # Errors
/// The note cannot be removed.
pub fn forget() -> Result<()> {
    match std::fs::remove_file(note()?) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

/// Readers see the old file or the new one.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    std::fs::create_dir_all(path.parent().context("no folder")?)?;
    std::fs::write(&part, bytes)?;
    Ok(std::fs::rename(part, path)?)
}
