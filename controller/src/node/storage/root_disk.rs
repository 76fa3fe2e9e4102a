//! The root disk: a qcow2 overlay over the cached image, with every format named and nothing probed.

use std::{fs, io, path::Path, process::Stdio, time::Duration};

use ostler_crds::image::DiskFormat;
use tokio::process::Command;

use super::{
    blocking,
    error::StorageError,
    layout::{part_of, sync_folder},
};

/// How long qemu-img may take; it writes some hundred kilobytes.
const DEADLINE: Duration = Duration::from_secs(60);

/// Has the overlay `disk` of `size` bytes over `base`. A disk that is there is left as it is.
pub(super) async fn create(disk: &Path, base: &Path, format: DiskFormat, size: u64) -> Result<(), StorageError> {
    if tokio::fs::try_exists(disk).await.map_err(StorageError::io("looking for the root disk"))? {
        return Ok(());
    }
    let part = part_of(disk);
    let made = match overlay(&part, base, format, size).await {
        Ok(()) => {
            let (part, disk) = (part.clone(), disk.to_owned());
            blocking(move || keep(&part, &disk)).await.map_err(StorageError::io("writing the root disk"))
        }
        Err(error) => Err(error),
    };
    // Nothing is lost: a disk that was kept has a name of its own.
    let _ = tokio::fs::remove_file(&part).await;
    made
}

/// Gives the finished disk its name. A hard link cannot replace a disk that appeared meanwhile, as a rename would.
fn keep(part: &Path, disk: &Path) -> io::Result<()> {
    fs::File::open(part)?.sync_all()?;
    fs::hard_link(part, disk)?;
    disk.parent().map_or(Ok(()), sync_folder)
}

/// `-u`: qemu-img does not open the base, so nothing that a tenant made is parsed outside a guest.
async fn overlay(part: &Path, base: &Path, format: DiskFormat, size: u64) -> Result<(), StorageError> {
    let mut command = Command::new("qemu-img");
    command
        .args(["create", "-q", "-u", "-f", "qcow2", "-F", format.as_str(), "-b"])
        .arg(base)
        .arg(part)
        .arg(size.to_string());
    qemu_img(command, Some(DEADLINE)).await
}

/// Runs qemu-img in an environment of its own, and ends it with the caller.
pub async fn qemu_img(mut command: Command, deadline: Option<Duration>) -> Result<(), StorageError> {
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match deadline {
        Some(limit) => {
            tokio::time::timeout(limit, command.output()).await.map_err(|_| StorageError::Timeout(limit.as_secs()))?
        }
        None => command.output().await,
    };
    let output = output.map_err(StorageError::io("running qemu-img"))?;
    if output.status.success() {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&output.stderr).chars().take(500).collect();
    Err(StorageError::QemuImg(said.trim().to_owned()))
}
