//! Where things are on a host.
//!
//! ```text
//!   STATE/lock                      one node role a host
//!   STATE/images/<sha256>           bytes of images, never changed
//!   STATE/guests/<guest>/owner      uid of the Server
//!                        root.qcow2, config.iso, console.log
//!                        root.json    what root.qcow2 was made from
//!                        kept.*       root.qcow2 as it was before a resize that is open
//!                        rescue.*     the disk that it is rescued with
//!                        saved        its memory is saved (libvirt has it), or about to be
//!                        snapshot.qcow2           a copy of the disk on its way to the OpenStack front
//!                        snapshot.mark            such a copy may have been begun
//!                        password                what the guest left with the metadata service
//!   STATE/metadata.key              seals the metadata service's tokens
//! ```
//!
//! Folders are 0711: QEMU's user has to pass through, and nobody has to list. Names that begin with a dot, and files
//! that end in `.part`, are unfinished work of ours.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use ostler_hypervisor::GuestId;
use uuid::Uuid;

/// Mode of folders.
const FOLDER_MODE: u32 = 0o711;
/// End of the names of unfinished files.
pub const PART: &str = ".part";

/// Paths below the state folder.
#[derive(Debug, Clone)]
pub struct Layout {
    state: PathBuf,
}

impl Layout {
    /// Paths below `state`.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self { state: state.into() }
    }

    /// Has the folders. The mode of a state folder that is there already is its admin's.
    pub fn create(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(FOLDER_MODE);
        builder.create(&self.state)?;
        for folder in [self.images(), self.guests()] {
            builder.create(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(FOLDER_MODE))?;
        }
        Ok(())
    }

    /// The file whose lock says that a node role runs.
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The image cache.
    pub fn images(&self) -> PathBuf {
        self.state.join("images")
    }

    /// The bytes with this digest. The caller has checked that `sha256` is 64 hexadecimal digits.
    pub fn image(&self, sha256: &str) -> PathBuf {
        self.images().join(sha256)
    }

    /// The guests' folders.
    pub fn guests(&self) -> PathBuf {
        self.state.join("guests")
    }

    /// The folder of a guest.
    pub fn guest(&self, guest: GuestId) -> PathBuf {
        self.guests().join(guest.to_string())
    }

    /// A name beside the folder of a guest, for work that is not finished.
    pub fn unfinished(&self, guest: GuestId) -> PathBuf {
        self.guests().join(format!(".{guest}.{}", Uuid::new_v4().simple()))
    }

    /// The uid of the Server that a guest's folder belongs to.
    pub fn owner(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("owner")
    }

    /// The key that seals the tokens of the metadata service.
    pub fn metadata_key(&self) -> PathBuf {
        self.state.join("metadata.key")
    }

    /// The password that a guest left with the metadata service.
    pub fn guest_password(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("password")
    }

    /// The root disk of a guest.
    pub fn root_disk(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("root.qcow2")
    }

    /// A copy of the root disk, while an image of the guest is made.
    pub fn snapshot(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("snapshot.qcow2")
    }

    /// The file that says that a copy of the root disk may have been begun.
    pub fn snapshot_mark(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("snapshot.mark")
    }

    /// The mark of a guest's root disk: what it was made from.
    pub fn root_mark(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("root.json")
    }

    /// The root disk of a guest as it was before a resize.
    pub fn kept_disk(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("kept.qcow2")
    }

    /// The mark of that.
    pub fn kept_mark(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("kept.json")
    }

    /// The rescue disk of a guest.
    pub fn rescue_disk(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("rescue.qcow2")
    }

    /// The SHA-256 of the base of the rescue disk.
    pub fn rescue_mark(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("rescue.json")
    }

    /// The config drive of a guest.
    pub fn config_drive(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("config.iso")
    }

    /// The note that a guest's memory is saved.
    pub fn saved_mark(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("saved")
    }

    /// What a guest wrote to its serial port.
    pub fn console_log(&self, guest: GuestId) -> PathBuf {
        self.guest(guest).join("console.log")
    }
}

/// A folder with the mode of ours.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(FOLDER_MODE).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(FOLDER_MODE))
}

/// Makes what was renamed or removed in a folder outlive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// A name beside `target` for a file that is not finished.
pub(super) fn part_of(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}{PART}", Uuid::new_v4().simple()));
    target.with_file_name(name)
}
