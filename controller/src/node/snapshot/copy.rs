//! Has a copy of a guest's disk in the guest's folder: one file that stands alone.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use ostler_engine::guest::{FailureKind, Folder};
use ostler_hypervisor::{CopyState, DiskCopy, ErrorClass, Hypervisor};
use tokio::process::Command;

use crate::common::crash;

use super::{
    super::storage::{StorageError, backing_of, blocking, qemu_img, whose},
    Phase, Shared, Subject,
    failure::Failed,
};

/// How often a copy that the hypervisor makes is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Room that stays for the host's guests, in bytes.
const SPARE: u64 = 64 << 20;

fn io_failed(what: &'static str) -> impl FnOnce(io::Error) -> Failed {
    move |source| Failed::storage(&StorageError::Io { what, source })
}

/// Removes what is left of a copy, if anything may be. The mark goes last.
pub(super) async fn tidy<H: Hypervisor>(shared: &Shared<H>, subject: &Subject) -> Result<(), Failed> {
    let layout = shared.storage.layout();
    let (mark, file) = (layout.snapshot_mark(subject.guest), layout.snapshot(subject.guest));
    if !mark.try_exists().map_err(io_failed("looking for a copy of the disk"))? {
        return Ok(());
    }
    shared.hypervisor.end_copy(subject.guest).await.map_err(Failed::hypervisor)?;
    crash::point("copy ended");
    let removed = blocking(move || {
        remove(&file)?;
        crash::point("copy half removed");
        remove(&mark)
    });
    removed.await.map_err(io_failed("removing a copy of the disk"))
}

fn remove(path: &PathBuf) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Makes the copy; what an earlier try left is gone already.
pub(super) async fn make<H: Hypervisor>(shared: &Shared<H>, subject: &Subject) -> Result<PathBuf, Failed> {
    let layout = shared.storage.layout();
    let (disk, to) = (layout.root_disk(subject.guest), layout.snapshot(subject.guest));
    let (layout, for_whom, source) = (layout.clone(), subject.clone(), disk.clone());
    blocking(move || {
        if whose(&layout, for_whom.guest)? != Folder::Of(for_whom.uid) || !source.try_exists()? {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the guest has no disk on this host"));
        }
        fs::File::create(layout.snapshot_mark(for_whom.guest))?.sync_all()
    })
    .await
    .map_err(io_failed("beginning a copy of the disk"))?;
    crash::point("copy marked");
    enough_room(&disk, subject.most).map_err(io_failed("looking for room for a copy of the disk"))?;

    // Said before it is looked at, so that no pass starts the guest after it was seen to be off.
    shared.enter(subject, Phase::Reading);
    let domain = shared.hypervisor.observe(subject.guest).await.map_err(Failed::hypervisor)?;
    if domain.is_some_and(|d| d.state.is_active()) {
        shared.enter(subject, Phase::Copying);
        by_hypervisor(shared, DiskCopy { guest: subject.guest, disk, to: to.clone() }).await?;
    } else {
        by_qemu_img(&disk, &to).await?;
    }
    Ok(to)
}

/// Refuses what could fill the host's file system: running guests would stand still for want of space.
fn enough_room(disk: &PathBuf, most: u64) -> io::Result<()> {
    let on_top = fs::metadata(disk)?.blocks() * 512;
    let most = if most == 0 { on_top } else { most };
    let folder = disk.parent().unwrap_or(disk);
    let stats = rustix::fs::statvfs(folder)?;
    let free = stats.f_bavail.saturating_mul(stats.f_frsize);
    // What the disk takes is known only for what lies above its base; the base may be compressed.
    let base = backing_size(disk)?;
    let need = on_top.saturating_add(base).min(most);
    if free < need.saturating_add(SPARE) {
        let message = format!("a copy may take {} MiB, and {} MiB are free", need >> 20, free >> 20);
        return Err(io::Error::new(io::ErrorKind::StorageFull, message));
    }
    Ok(())
}

/// Most bytes that the image behind a disk holds: three times its file, for a compressed one.
fn backing_size(disk: &Path) -> io::Result<u64> {
    let base = backing_of(disk)?;
    base.map_or(Ok(0), |base| Ok(fs::metadata(base)?.len().saturating_mul(3)))
}

async fn by_hypervisor<H: Hypervisor>(shared: &Shared<H>, copy: DiskCopy) -> Result<(), Failed> {
    shared.hypervisor.begin_copy(&copy).await.map_err(Failed::hypervisor)?;
    crash::point("copy begun");
    loop {
        match shared.hypervisor.copy_state(copy.guest).await {
            Ok(CopyState::Done) => return Ok(()),
            Ok(CopyState::Running) => {}
            Ok(CopyState::Unknown) => {
                return Err(Failed::Copy(FailureKind::Interrupted, "the guest or libvirtd ended meanwhile".to_owned()));
            }
            Ok(CopyState::Failed(why)) if why.contains("No space left") => {
                return Err(Failed::Copy(FailureKind::DiskFull, why));
            }
            Ok(CopyState::Failed(why)) => return Err(Failed::Copy(FailureKind::Interrupted, why)),
            // QEMU copies on while libvirtd is away.
            Err(error) if error.class == ErrorClass::Unreachable => {}
            Err(error) => return Err(Failed::hypervisor(error)),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Every format is named. The copy ends with this process: an orphan would keep the guest from starting.
async fn by_qemu_img(disk: &PathBuf, to: &PathBuf) -> Result<(), Failed> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-img", "convert", "-q", "-f", "qcow2", "-O", "qcow2"]).arg(disk).arg(to);
    qemu_img(command, None).await.map_err(|error| match &error {
        // The guest was just being started: the other way then.
        StorageError::QemuImg(said) if said.contains("lock") => Failed::Copy(FailureKind::Interrupted, said.clone()),
        _ => Failed::storage(&error),
    })
}
