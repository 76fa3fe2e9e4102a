//! Notes in a guest's folder: there or not there, old or new, whatever is switched off in between.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use super::layout::{part_of, sync_folder};

/// Has the note.
pub(super) fn set(mark: &Path) -> io::Result<()> {
    fs::File::create(mark)?.sync_all()?;
    mark.parent().map_or(Ok(()), sync_folder)
}

/// Has the note say this.
pub(super) fn write<T: Serialize>(mark: &Path, note: &T) -> io::Result<()> {
    let part = part_of(mark);
    let text = serde_json::to_vec(note)?;
    let written = fs::File::create(&part)
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&part, mark))
        .and_then(|()| mark.parent().map_or(Ok(()), sync_folder));
    if written.is_err() {
        // A leftover is cleaned at the next start as well.
        let _ = fs::remove_file(&part);
    }
    written
}

/// What the note says; `None` if there is none that can be read.
pub(super) fn read<T: DeserializeOwned>(mark: &Path) -> io::Result<Option<T>> {
    match fs::read(mark) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Has no such file.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => file.parent().map_or(Ok(()), sync_folder),
    }
}
