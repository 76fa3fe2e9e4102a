//! Steps: what a plan is made of. Each is plain data, idempotent, and printed the same way each time.

use std::net::Ipv4Addr;

use ostler_crds::image::DiskFormat;
use serde::{Deserialize, Serialize};

use crate::definition::{DomainDefinition, FilterDefinition, GuestId, NetworkDefinition};

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Done by the node role on the host's file system.
    Storage(StorageStep),
    /// Done by the hypervisor.
    Hypervisor(HypervisorStep),
}

/// A step on the host's file system. Paths derive from the ids; see the node role's `storage::Layout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageStep {
    /// Have the image's bytes in the cache, with this digest.
    FetchImage {
        /// OpenStack id of the Image: the shim is asked for its bytes by this and the digest.
        image: String,
        /// SHA-256 in hexadecimal; the name in the cache.
        sha256: String,
        /// Exact size in bytes.
        size: u64,
        /// Format that the bytes must have.
        format: DiskFormat,
        /// Where to fetch from; `None`: the shim, by digest.
        url: Option<String>,
    },
    /// Have the guest's root disk: a qcow2 overlay over the cached image. Never replaces a disk that is there.
    CreateRootDisk {
        /// The guest.
        guest: GuestId,
        /// Format of the base.
        base_format: DiskFormat,
        /// Size that the guest sees, in bytes.
        size: u64,
        /// Its mark; names the base in the cache.
        origin: Origin,
    },
    /// Have the guest's root disk made anew, in the place of one that may be there, and marked. One with this mark is left.
    ReplaceRootDisk {
        /// The guest.
        guest: GuestId,
        /// Format of the base.
        base_format: DiskFormat,
        /// Size that the guest sees, in bytes.
        size: u64,
        /// Its mark; names the base in the cache.
        origin: Origin,
    },
    /// Have this mark on the root disk.
    MarkRootDisk {
        /// The guest.
        guest: GuestId,
        /// The mark.
        origin: Origin,
    },
    /// Have the root disk at least this large. The guest is off.
    GrowRootDisk {
        /// The guest.
        guest: GuestId,
        /// Size that the guest sees, in bytes.
        size: u64,
    },
    /// Have a copy of the root disk beside it. One that is there is left as it is. The guest is off.
    KeepRootDisk {
        /// The guest.
        guest: GuestId,
        /// Mark of the copy.
        kept: KeptDisk,
    },
    /// Have the kept disk as root disk, with the mark that it had.
    RestoreRootDisk {
        /// The guest.
        guest: GuestId,
    },
    /// Have no kept disk.
    RemoveKeptDisk {
        /// The guest.
        guest: GuestId,
    },
    /// Have the guest's rescue disk: a qcow2 overlay over the cached image.
    CreateRescueDisk {
        /// The guest.
        guest: GuestId,
        /// SHA-256 of the base in the cache.
        base: String,
        /// Format of the base.
        base_format: DiskFormat,
        /// Size that the guest sees, in bytes.
        size: u64,
    },
    /// Have no rescue disk.
    RemoveRescueDisk {
        /// The guest.
        guest: GuestId,
    },
    /// Have the guest's config drive with these files (path in the drive, contents).
    WriteConfigDrive {
        /// The guest.
        guest: GuestId,
        /// Files of the drive.
        files: Vec<(String, Vec<u8>)>,
    },
    /// Note in the guest's folder that its memory is saved, or about to be. The note outlives every crash.
    MarkSaved {
        /// The guest.
        guest: GuestId,
    },
    /// Remove that note.
    UnmarkSaved {
        /// The guest.
        guest: GuestId,
    },
    /// Remove the guest's folder: disk, config drive, console log.
    RemoveGuestFiles {
        /// The guest.
        guest: GuestId,
    },
}

/// What a root disk was made from; written beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// OpenStack id of the Image.
    pub image: String,
    /// SHA-256 of its bytes: the name of the base in the cache.
    pub sha256: String,
    /// `metadata.name` of the Flavor that it has the size of.
    pub flavor: String,
    /// Id of the action Rebuild that made it, if one did.
    pub rebuild: Option<String>,
}

impl Origin {
    /// The mark of a disk that is about to be replaced by one of `next`: whether it was is not known until that is marked.
    pub fn of_nothing(next: &Self) -> Self {
        Self { image: String::new(), sha256: String::new(), flavor: next.flavor.clone(), rebuild: None }
    }
}

/// A root disk as it was before a resize.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDisk {
    /// Its mark; has the flavor before.
    pub origin: Origin,
    /// `metadata.name` of the Flavor after.
    pub to: String,
}

/// A step of the hypervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HypervisorStep {
    /// Have the network, running and started with the host. A foreign network of that name is an error. One that was made
    /// for an earlier Network of that name is taken over; with another subnet it is replaced, unless it is in use.
    EnsureNetwork(NetworkDefinition),
    /// Have DHCP give this address to this MAC, and to nobody else.
    ReserveAddress {
        /// The hypervisor's network.
        network: String,
        /// MAC address.
        mac: String,
        /// The address.
        address: Ipv4Addr,
    },
    /// Take the reservation back. A network that is gone or foreign holds none.
    ReleaseAddress {
        /// The hypervisor's network.
        network: String,
        /// MAC address.
        mac: String,
    },
    /// Have the filter that every guest's interface names, at once for running guests too. A foreign filter of that name
    /// is an error.
    EnsureFilter(FilterDefinition),
    /// Have the persistent domain. A running domain is left as it is; a foreign one is an error.
    Define(DomainDefinition),
    /// Have it running: boots it, restores its saved memory, or lets it go on.
    Start(GuestId),
    /// Ask the guest to shut down (ACPI power button). Returns at once.
    Shutdown(GuestId),
    /// Ask the guest to restart. Returns at once.
    Reboot(GuestId),
    /// Have it off, at once.
    Destroy(GuestId),
    /// Have it neither running nor defined, and without saved memory. Only a domain of ours is touched.
    Undefine(GuestId),
    /// Have its processors stand still. One that is off cannot.
    Pause(GuestId),
    /// Have it off with its memory saved on the host; the next start goes on from there.
    Save(GuestId),
    /// Have no saved memory of it: the next start boots it.
    DiscardSaved(GuestId),
    /// Have the guest's agent set a password.
    SetPassword {
        /// The guest.
        guest: GuestId,
        /// Account in the guest.
        user: String,
        /// The password.
        hash: PasswordHash,
    },
}

/// A password as crypt(3) stores it. Not printed: it is no clear text, but nothing for logs either.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}
