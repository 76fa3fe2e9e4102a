//! The root disk before and after a resize, and its mark.
//!
//! Each of these may be cut off anywhere and is then done again. The mark of the kept disk is there before it, and goes
//! after it; the mark of the root disk follows the disk, which nobody runs in between.

use std::{fs, io};

use ostler_engine::guest::DiskFile;
use ostler_hypervisor::{GuestId, KeptDisk};

use crate::common::crash;

use super::{
    layout::{Layout, sync_folder},
    mark, root_disk,
};

/// The root disk and its mark.
pub(super) fn root(layout: &Layout, guest: GuestId) -> io::Result<Option<DiskFile>> {
    let disk = layout.root_disk(guest);
    if !disk.try_exists()? {
        return Ok(None);
    }
    Ok(Some(DiskFile { size: root_disk::virtual_size(&disk)?, origin: mark::read(&layout.root_mark(guest))? }))
}

/// The kept disk's mark, if that disk is there.
pub(super) fn kept(layout: &Layout, guest: GuestId) -> io::Result<Option<KeptDisk>> {
    if layout.kept_disk(guest).try_exists()? { mark::read(&layout.kept_mark(guest)) } else { Ok(None) }
}

/// The base of the rescue disk, if that disk is there; empty if nothing says which it is.
pub(super) fn rescue(layout: &Layout, guest: GuestId) -> io::Result<Option<String>> {
    if !layout.rescue_disk(guest).try_exists()? {
        return Ok(None);
    }
    Ok(Some(mark::read(&layout.rescue_mark(guest))?.unwrap_or_default()))
}

/// Has a copy of the root disk.
pub(super) fn keep(layout: &Layout, guest: GuestId, kept: &KeptDisk) -> io::Result<()> {
    if !layout.kept_disk(guest).try_exists()? {
        mark::write(&layout.kept_mark(guest), kept)?;
        crash::point("kept disk marked");
    }
    let copied = root_disk::copy(&layout.root_disk(guest), &layout.kept_disk(guest));
    if copied.is_err() && !layout.kept_disk(guest).try_exists()? {
        mark::remove(&layout.kept_mark(guest))?;
    }
    copied
}

/// Removes marks whose disks a crash kept from being made, or removed already. Returns how many.
pub(super) fn clean(layout: &Layout, guest: GuestId) -> io::Result<usize> {
    let pairs =
        [(layout.kept_disk(guest), layout.kept_mark(guest)), (layout.rescue_disk(guest), layout.rescue_mark(guest))];
    let mut removed = 0;
    for (_, mark) in pairs.iter().filter(|(disk, mark)| mark.exists() && !disk.exists()) {
        mark::remove(mark)?;
        removed += 1;
    }
    Ok(removed)
}

/// Has the kept disk as root disk. Without one there is nothing to do: it is that already.
pub(super) fn restore(layout: &Layout, guest: GuestId) -> io::Result<()> {
    if let Some(kept) = self::kept(layout, guest)? {
        fs::rename(layout.kept_disk(guest), layout.root_disk(guest))?;
        sync_folder(&layout.guest(guest))?;
        crash::point("kept disk taken back");
        mark::write(&layout.root_mark(guest), &kept.origin)?;
        crash::point("kept disk taken back and marked");
    }
    mark::remove(&layout.kept_mark(guest))
}

/// Has no kept disk.
pub(super) fn forget(layout: &Layout, guest: GuestId) -> io::Result<()> {
    mark::remove(&layout.kept_disk(guest))?;
    crash::point("kept disk half removed");
    mark::remove(&layout.kept_mark(guest))
}

/// Has no rescue disk.
pub(super) fn unrescue(layout: &Layout, guest: GuestId) -> io::Result<()> {
    mark::remove(&layout.rescue_disk(guest))?;
    crash::point("rescue disk half removed");
    mark::remove(&layout.rescue_mark(guest))
}
