//! What a crash left unfinished, removed at the start. Only names that nobody but this program makes are touched.

use std::{fs, io, path::Path};

use ostler_hypervisor::GuestId;
use uuid::Uuid;

use super::{
    layout::{Layout, PART},
    resized,
};

/// Removes unfinished files and folders; returns how many.
pub fn clean(layout: &Layout) -> io::Result<usize> {
    let mut removed = remove_parts(&layout.images())?;
    for entry in fs::read_dir(layout.guests())? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let name = entry.file_name();
        if is_unfinished_folder(&name.to_string_lossy()) {
            fs::remove_dir_all(entry.path())?;
            removed += 1;
        } else if let Ok(guest) = Uuid::parse_str(&name.to_string_lossy()) {
            removed += remove_parts(&entry.path())? + resized::clean(layout, GuestId(guest))?;
        }
    }
    Ok(removed)
}

fn remove_parts(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && is_part(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// As [`Layout::unfinished`] names them: a dot, a guest, a dot, a UUID without hyphens. A file system's own `.snapshot` is not.
fn is_unfinished_folder(name: &str) -> bool {
    let parts = name.strip_prefix('.').and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(guest, unique)| Uuid::parse_str(guest).is_ok() && is_unique(unique))
}

/// As [`super::layout::part_of`] names them: what it is to be, a dot, a UUID without hyphens, `.part`.
fn is_part(name: &str) -> bool {
    name.strip_suffix(PART).and_then(|rest| rest.rsplit_once('.')).is_some_and(|(_, unique)| is_unique(unique))
}

fn is_unique(text: &str) -> bool {
    text.len() == 32 && Uuid::parse_str(text).is_ok()
}
