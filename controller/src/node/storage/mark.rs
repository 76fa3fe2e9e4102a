//! Notes in a guest's folder: there or not there, whatever is switched off in between.

use std::{fs, io, path::Path};

use super::layout::sync_folder;

/// Has the note.
pub(super) fn set(mark: &Path) -> io::Result<()> {
    fs::File::create(mark)?.sync_all()?;
    mark.parent().map_or(Ok(()), sync_folder)
}

/// Has no such note.
pub(super) fn remove(mark: &Path) -> io::Result<()> {
    match fs::remove_file(mark) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => mark.parent().map_or(Ok(()), sync_folder),
    }
}
