//! What is wished of a guest, parsed: nothing below has to check it again.

use std::net::Ipv4Addr;

use ostler_crds::{image::DiskFormat, server::ServerAction};
use ostler_hypervisor::{GuestId, NetworkDefinition, NicDefinition, Owner, PasswordHash};

use super::config_drive::DriveSource;

/// Which guest it is, and which version of the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The guest: the Server's OpenStack id.
    pub guest: GuestId,
    /// The Server.
    pub owner: Owner,
    /// `metadata.generation`.
    pub generation: i64,
}

/// A Server that this host can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedServer {
    /// Which guest it is.
    pub identity: Identity,
    /// What is wished of it.
    pub wish: Wish,
}

/// What is wished of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The Server is being deleted: nothing of the guest shall be left.
    Absent {
        /// (hypervisor's network, MAC) of the addresses to take back.
        reservations: Vec<(String, String)>,
    },
    /// The Server is kept as an image: nothing of the guest shall be left on this host.
    Shelved {
        /// As of [`Wish::Absent`].
        reservations: Vec<(String, String)>,
    },
    /// The guest shall exist.
    Present(Box<Guest>),
}

/// A guest that shall exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Whether it shall run.
    pub power: Power,
    /// A momentary wish that the status does not echo yet.
    pub action: Option<ServerAction>,
    /// Whether an administrator set it to ERROR, and nothing else was wished since.
    pub set_to_error: bool,
    /// The administrator's password in the guest.
    pub password: Option<PasswordHash>,
    /// Whether it was ever started (`status.launchedAt`). Its disk is never made anew then.
    pub launched: bool,
    /// `metadata.name` of the Flavor that it shall have the size of.
    pub flavor: String,
    /// A resize that is neither confirmed nor reverted.
    pub resize: Option<Resize>,
    /// The image of the rescue disk that it shall run from.
    pub rescue: Option<BaseImage>,
    /// What of the wish the manager has not looked up.
    pub unresolved: Option<Unresolved>,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Size of the root disk in bytes.
    pub disk_bytes: u64,
    /// OpenStack id of the Image that the root disk is of. A disk of another one is made anew (rebuild).
    pub image: String,
    /// What a root disk that is made now starts from.
    pub base: BaseImage,
    /// Whether that is the image that the guest was kept as while it was off its host, so that there is no disk yet.
    pub returns: bool,
    /// Interfaces in the guest's order.
    pub nics: Vec<Nic>,
    /// What goes on the config drive; `None`: it gets none.
    pub drive: Option<DriveSource>,
}

/// A resize that is neither confirmed nor reverted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resize {
    /// `metadata.name` of the Flavor before.
    pub from: String,
    /// Whether it is confirmed as soon as it is done.
    pub auto_confirm: bool,
}

/// Why a changed flavor, image or key is not in the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// The manager has not looked yet, or it is not there yet.
    Awaited,
    /// It cannot be had; with the manager's words.
    Refused(String),
}

/// The power that is wished; what this version does not serve is refused before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It runs.
    Running,
    /// It is off, its disk is kept.
    Stopped,
    /// Its processors stand still.
    Paused,
    /// It is off, its memory is saved.
    Suspended,
}

/// The image that a root disk starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// `metadata.name` of the Image, for messages.
    pub name: String,
    /// OpenStack id of the Image.
    pub id: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Size of the bytes.
    pub size: u64,
    /// Size of the disk that the guest sees, in bytes.
    pub virtual_size: u64,
    /// Format of the bytes.
    pub format: DiskFormat,
    /// Where to fetch from; `None`: the shim.
    pub url: Option<String>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// `metadata.name` of the Network, for messages.
    pub network_name: String,
    /// The interface as the domain has it.
    pub definition: NicDefinition,
    /// The host's network; `None`: the Network object is gone, so an existing one has to do.
    pub network: Option<NetworkDefinition>,
}

impl Nic {
    /// The address of this interface.
    pub fn address(&self) -> Ipv4Addr {
        self.definition.address
    }
}
