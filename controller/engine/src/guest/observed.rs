//! What a host shows of one guest.

use std::{collections::BTreeSet, path::PathBuf};

use ostler_crds::host::Accelerator;
use ostler_hypervisor::{DomainState, KeptDisk, ObservedDomain, Origin};

/// What the host shows of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Its domain, ours or not.
    pub domain: Option<ObservedDomain>,
    /// Its files.
    pub files: Files,
}

/// What the host's file system shows of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// The guest's folder.
    pub folder: Folder,
    /// The root disk, if it is there.
    pub root_disk: Option<DiskFile>,
    /// The root disk as it was before a resize, if it is kept.
    pub kept: Option<KeptDisk>,
    /// The rescue disk, if it is there: the SHA-256 of its base.
    pub rescue_disk: Option<String>,
    /// Whether the config drive is there. It is written once, as Nova does: a guest reads it at its first boot.
    pub config_drive: bool,
    /// SHA-256 of those images that are in the cache, of those that were asked about.
    pub cached: BTreeSet<String>,
    /// Whether the guest's memory was saved, or was about to be, and nobody has seen it go on since.
    pub saved_mark: bool,
}

/// A root disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskFile {
    /// Size that the guest sees, in bytes; `None`: it cannot be read.
    pub size: Option<u64>,
    /// Its mark; `None`: it bears none that can be read.
    pub origin: Option<Origin>,
}

/// A guest's folder. It is marked with its Server's uid before it gets its name, so one without a mark is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Folder {
    /// There is none.
    #[default]
    Missing,
    /// It belongs to the Server with this uid.
    Of(String),
    /// It bears no mark.
    Unmarked,
}

/// What a decision needs to know of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostContext {
    /// Availability zone, told to the guest.
    pub zone: String,
    /// How guests run here.
    pub accelerator: Accelerator,
    /// Where the guest's root disk is.
    pub root_disk: PathBuf,
    /// Where the guest's rescue disk is.
    pub rescue_disk: PathBuf,
    /// Where the guest's config drive is.
    pub config_drive: PathBuf,
    /// Where the guest's console log is.
    pub console_log: PathBuf,
}

/// What a decision distinguishes of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// There is no domain.
    Nothing,
    /// Defined and off, for whatever cause.
    Off,
    /// Off, with its memory saved.
    Saved,
    /// Its processors stand still.
    Paused,
    /// Its processors stand still for want of space.
    Starved,
    /// It runs.
    Running,
    /// QEMU is about to end.
    Ending,
}

impl Observed {
    pub(super) fn seen(&self) -> Seen {
        let saved = self.domain.as_ref().is_some_and(|d| d.saved);
        match self.domain.as_ref().map(|d| d.state) {
            None => Seen::Nothing,
            Some(DomainState::Off | DomainState::Crashed) if saved => Seen::Saved,
            Some(DomainState::Off | DomainState::Crashed) => Seen::Off,
            Some(DomainState::Paused) => Seen::Paused,
            Some(DomainState::NoSpace) => Seen::Starved,
            Some(DomainState::Running) => Seen::Running,
            Some(DomainState::ShuttingDown) => Seen::Ending,
        }
    }

    /// Whether a QEMU process stands behind the guest.
    pub fn is_active(&self) -> bool {
        self.domain.as_ref().is_some_and(|d| d.state.is_active())
    }

    /// Why this guest is not ours to touch, if so: its domain or its folder belongs to somebody else. That happens when
    /// two Servers carry the same id label, or when an admin made a domain with our UUID.
    pub(super) fn foreign(&self, uid: &str) -> Option<&'static str> {
        match (self.has_foreign_domain(uid), self.has_foreign_folder(uid)) {
            (true, _) => Some("a domain with this Server's id or name exists and belongs to somebody else"),
            (false, true) => Some("a folder with this Server's id exists and belongs to somebody else"),
            (false, false) => None,
        }
    }

    pub(super) fn has_foreign_domain(&self, uid: &str) -> bool {
        self.domain.as_ref().is_some_and(|d| d.owner.as_ref().is_none_or(|o| o.uid != uid))
    }

    pub(super) fn has_foreign_folder(&self, uid: &str) -> bool {
        match &self.files.folder {
            Folder::Missing => false,
            Folder::Of(owner) => owner != uid,
            Folder::Unmarked => true,
        }
    }
}
