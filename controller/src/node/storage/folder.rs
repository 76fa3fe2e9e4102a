//! The folder of a guest: marked with its Server's uid before it gets its name, removed by renaming it away first.

use std::{fs, io, path::Path};

use ostler_engine::guest::Folder;
use ostler_hypervisor::GuestId;

use crate::common::crash;

use super::{
    error::StorageError,
    layout::{Layout, make_folder, sync_folder},
};

/// Whose the folder of a guest is.
pub fn whose(layout: &Layout, guest: GuestId) -> io::Result<Folder> {
    match fs::read_to_string(layout.owner(guest)) {
        Ok(uid) => Ok(Folder::Of(uid.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(if layout.guest(guest).try_exists()? { Folder::Unmarked } else { Folder::Missing })
        }
        Err(error) => Err(error),
    }
}

/// Has the folder of a guest, marked with `uid`.
pub(super) fn ensure(layout: &Layout, guest: GuestId, uid: &str) -> Result<(), StorageError> {
    match whose(layout, guest).map_err(StorageError::io("reading the mark of the guest's folder"))? {
        Folder::Of(owner) if owner == uid => return Ok(()),
        Folder::Of(_) | Folder::Unmarked => return Err(StorageError::Foreign),
        Folder::Missing => {}
    }
    let unfinished = layout.unfinished(guest);
    let made = make_marked(&unfinished, uid).and_then(|()| {
        crash::point("folder beside its name");
        fs::rename(&unfinished, layout.guest(guest))
    });
    if made.is_err() {
        // A leftover is cleaned at the next start as well.
        let _ = fs::remove_dir_all(&unfinished);
    }
    made.and_then(|()| sync_folder(&layout.guests())).map_err(StorageError::io("making the guest's folder"))
}

fn make_marked(path: &Path, uid: &str) -> io::Result<()> {
    make_folder(path)?;
    let mark = path.join("owner");
    fs::write(&mark, uid)?;
    fs::File::open(&mark)?.sync_all()
}

/// Removes the folder of a guest with all that is in it; nothing happens if there is none. The mark goes last, so that
/// whatever is cut off on the way is found and removed by the next try.
pub(super) fn remove(layout: &Layout, guest: GuestId, uid: &str) -> Result<(), StorageError> {
    match whose(layout, guest).map_err(StorageError::io("reading the mark of the guest's folder"))? {
        Folder::Missing => return Ok(()),
        Folder::Of(owner) if owner == uid => {}
        Folder::Of(_) | Folder::Unmarked => return Err(StorageError::Foreign),
    }
    let away = layout.unfinished(guest);
    empty(layout, guest)
        .and_then(|()| {
            crash::point("folder emptied");
            fs::rename(layout.guest(guest), &away)
        })
        .and_then(|()| {
            crash::point("folder renamed");
            fs::remove_dir_all(&away)
        })
        .and_then(|()| sync_folder(&layout.guests()))
        .map_err(StorageError::io("removing the guest's folder"))
}

/// Removes all but the mark.
fn empty(layout: &Layout, guest: GuestId) -> io::Result<()> {
    for entry in fs::read_dir(layout.guest(guest))? {
        let entry = entry?;
        if entry.path() == layout.owner(guest) {
            continue;
        }
        match if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }
        {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
