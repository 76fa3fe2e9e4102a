//! Root and rescue disks: qcow2 overlays over cached images, with every format named and nothing probed.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    process::Stdio,
    time::Duration,
};

use ostler_crds::image::DiskFormat;
use serde_json::json;
use tokio::process::Command;

use crate::common::crash;

use super::{
    blocking,
    error::StorageError,
    layout::{part_of, sync_folder},
};

/// How long qemu-img may take; it writes some hundred kilobytes.
const DEADLINE: Duration = Duration::from_secs(60);

/// Has the overlay `disk` of `size` bytes over `base`. A disk that is there is left as it is.
pub(super) async fn create(disk: &Path, base: &Path, format: DiskFormat, size: u64) -> Result<(), StorageError> {
    if tokio::fs::try_exists(disk).await.map_err(StorageError::io("looking for the disk"))? {
        return Ok(());
    }
    made(disk, base, format, size, keep).await
}

/// Has a new overlay in the place of `disk`, which is there until the new one is whole; then `doomed` is done first.
pub(super) async fn replace(
    disk: &Path,
    base: &Path,
    format: DiskFormat,
    size: u64,
    doomed: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> Result<(), StorageError> {
    made(disk, base, format, size, move |part, disk| {
        // Nothing but the renaming may fail once the old disk is said to be doomed.
        fs::File::open(part)?.sync_all()?;
        doomed()?;
        swap(part, disk)
    })
    .await
}

async fn made(
    disk: &Path,
    base: &Path,
    format: DiskFormat,
    size: u64,
    name: impl FnOnce(&Path, &Path) -> io::Result<()> + Send + 'static,
) -> Result<(), StorageError> {
    let part = part_of(disk);
    let made = match overlay(&part, base, format, size).await {
        Ok(()) => {
            crash::point("disk beside its name");
            let (part, disk) = (part.clone(), disk.to_owned());
            blocking(move || name(&part, &disk)).await.map_err(StorageError::io("writing the disk"))
        }
        Err(error) => Err(error),
    };
    // Nothing is lost: a disk that was kept has a name of its own.
    let _ = tokio::fs::remove_file(&part).await;
    made
}

/// Has `disk` at least `size` bytes large. Its base is not opened.
pub(super) async fn grow(disk: &Path, size: u64) -> Result<(), StorageError> {
    let file = disk.to_owned();
    let now = blocking(move || virtual_size(&file)).await.map_err(StorageError::io("reading the root disk"))?;
    if now.is_some_and(|now| now >= size) {
        return Ok(());
    }
    let file = json!({ "driver": "file", "filename": disk });
    let image = format!("json:{}", json!({ "driver": "qcow2", "backing": null, "file": file }));
    let mut command = Command::new("qemu-img");
    command.args(["resize", "-q", &image, &size.to_string()]);
    qemu_img(command, Some(DEADLINE)).await
}

/// Has a copy of `disk` at `copy`, whole or not at all. One that is there is left as it is.
pub(super) fn copy(disk: &Path, copy: &Path) -> io::Result<()> {
    if copy.try_exists()? {
        return Ok(());
    }
    let part = part_of(copy);
    let copied = fs::copy(disk, &part).and_then(|_| keep(&part, copy));
    let _ = fs::remove_file(&part);
    copied
}

/// Size that a guest sees of a qcow2 file, from its header; `None` if that is none.
pub(super) fn virtual_size(disk: &Path) -> io::Result<Option<u64>> {
    let mut header = [0; 32];
    match fs::File::open(disk)?.read_exact(&mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let (magic, size) = (header.first_chunk::<4>(), header.last_chunk::<8>());
    Ok(size.filter(|_| magic == Some(b"QFI\xfb")).map(|size| u64::from_be_bytes(*size)))
}

/// Gives the finished disk its name. A hard link cannot replace a disk that appeared meanwhile, as a rename would.
fn keep(part: &Path, disk: &Path) -> io::Result<()> {
    fs::File::open(part)?.sync_all()?;
    fs::hard_link(part, disk)?;
    crash::point("disk with two names");
    disk.parent().map_or(Ok(()), sync_folder)
}

/// Gives the finished disk, which is written whole, the name of one that may be there.
fn swap(part: &Path, disk: &Path) -> io::Result<()> {
    fs::rename(part, disk)?;
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
