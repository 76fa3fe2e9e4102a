//! The config drive on disk. It holds user data, so nobody but root reads it; libvirt hands it to QEMU at the start.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{
    error::StorageError,
    layout::{part_of, sync_folder},
};

/// Has the config drive with these files.
pub(super) fn write(drive: &Path, files: &[(String, Vec<u8>)]) -> Result<(), StorageError> {
    let image = ostler_hypervisor::config_drive::build(files)?;
    let part = part_of(drive);
    let written = write_synced(&part, &image)
        .and_then(|()| fs::rename(&part, drive))
        .and_then(|()| drive.parent().map_or(Ok(()), sync_folder));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written.map_err(StorageError::io("writing the config drive"))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
