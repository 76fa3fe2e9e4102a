//! What goes wrong with files, and what it means to the guest.

use std::io;

use ostler_crds::names::reason;
use ostler_engine::guest::{Failure, FailureKind};
use ostler_hypervisor::StorageStep;
use thiserror::Error;

use crate::image::FetchError;

/// A step on the file system failed.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The file system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The guest's folder belongs to another Server.
    #[error("the folder of this id belongs to another Server")]
    Foreign,
    /// The image that a disk was to be made over was removed from the cache a moment before.
    #[error("the image is not in the cache any more")]
    BaseMissing,
    /// The image's bytes did not arrive.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The shim cannot be asked for bytes.
    #[error("the OpenStack front cannot be asked for the image: {0}")]
    Shim(String),
    /// qemu-img failed.
    #[error("qemu-img failed: {0}")]
    QemuImg(String),
    /// qemu-img took too long.
    #[error("qemu-img did not finish in {0} s")]
    Timeout(u64),
    /// The config drive could not be made.
    #[error(transparent)]
    ConfigDrive(#[from] ostler_hypervisor::config_drive::ConfigDriveError),
}

impl StorageError {
    /// Turns an error of the file system into ours; to be given to `map_err`.
    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Io { source, .. } if is_full(source) => FailureKind::DiskFull,
            Self::QemuImg(message) if message.contains("No space left") => FailureKind::DiskFull,
            Self::Io { .. } | Self::QemuImg(_) | Self::Timeout(_) => FailureKind::Storage,
            Self::Foreign => FailureKind::Foreign,
            Self::BaseMissing => FailureKind::Interrupted,
            Self::Shim(_) => FailureKind::ImageUnreachable,
            Self::ConfigDrive(_) => FailureKind::Invalid,
            Self::Fetch(error) => match error.reason() {
                reason::IMAGE_REFUSED => FailureKind::ImageRefused,
                reason::IMAGE_DIGEST_MISMATCH => FailureKind::ImageDigestMismatch,
                reason::DISK_FULL => FailureKind::DiskFull,
                reason::STORAGE_ERROR => FailureKind::Storage,
                _ => FailureKind::ImageUnreachable,
            },
        }
    }

    /// What it means to the guest.
    pub fn failure(&self, step: &StorageStep) -> Failure {
        let doing = match step {
            StorageStep::FetchImage { .. } => "cannot fetch the image",
            StorageStep::CreateRootDisk { .. } => "cannot make the root disk",
            StorageStep::ReplaceRootDisk { .. } => "cannot make the root disk anew",
            StorageStep::MarkRootDisk { .. } => "cannot mark the root disk",
            StorageStep::GrowRootDisk { .. } => "cannot grow the root disk",
            StorageStep::KeepRootDisk { .. } => "cannot keep a copy of the root disk",
            StorageStep::RestoreRootDisk { .. } => "cannot take the kept disk back",
            StorageStep::RemoveKeptDisk { .. } => "cannot remove the kept disk",
            StorageStep::CreateRescueDisk { .. } => "cannot make the rescue disk",
            StorageStep::RemoveRescueDisk { .. } => "cannot remove the rescue disk",
            StorageStep::WriteConfigDrive { .. } => "cannot make the config drive",
            StorageStep::MarkSaved { .. } | StorageStep::UnmarkSaved { .. } => {
                "cannot note that the guest is suspended"
            }
            StorageStep::RemoveGuestFiles { .. } => "cannot remove the guest's files",
        };
        Failure::new(self.kind(), doing, self.to_string())
    }
}

/// Whether the file system is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
