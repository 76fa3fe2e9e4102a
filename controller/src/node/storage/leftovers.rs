//! What a crash left unfinished, removed at the start. Only names that nobody but this program makes are touched.

use std::{fs, io, path::Path};

use super::layout::{Layout, PART};

/// Removes unfinished files and folders; returns how many.
pub fn clean(layout: &Layout) -> io::Result<usize> {
    let mut removed = remove_parts(&layout.images())?;
    for entry in fs::read_dir(layout.guests())? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !entry.file_type()?.is_dir() {
            continue;
        }
        if hidden {
            fs::remove_dir_all(entry.path())?;
            removed += 1;
        } else {
            removed += remove_parts(&entry.path())?;
        }
    }
    Ok(removed)
}

fn remove_parts(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name().as_encoded_bytes().ends_with(PART.as_bytes()) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}
