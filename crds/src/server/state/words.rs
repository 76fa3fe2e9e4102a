//! Nova's words for what a Server is and does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nova's `vm_state`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VmState {
    /// Never ran yet.
    #[serde(rename = "building")]
    Building,
    /// Runs.
    #[serde(rename = "active")]
    Active,
    /// Its processors stand still by wish.
    #[serde(rename = "paused")]
    Paused,
    /// Its memory is saved to disk.
    #[serde(rename = "suspended")]
    Suspended,
    /// Shut down.
    #[serde(rename = "stopped")]
    Stopped,
    /// Runs from a rescue disk, with its own disk beside it.
    #[serde(rename = "rescued")]
    Rescued,
    /// Runs with a new flavor that is to be confirmed or reverted.
    #[serde(rename = "resized")]
    Resized,
    /// Off, an image of it is kept, and its host still has its disk.
    #[serde(rename = "shelved")]
    Shelved,
    /// Off and off its host; an image of it is kept.
    #[serde(rename = "shelved_offloaded")]
    ShelvedOffloaded,
    /// Deleted, and may be restored.
    #[serde(rename = "soft-delete")]
    SoftDeleted,
    /// Cannot go on by itself.
    #[serde(rename = "error")]
    Error,
}

impl VmState {
    /// Nova's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Stopped => "stopped",
            Self::Rescued => "rescued",
            Self::Resized => "resized",
            Self::Shelved => "shelved",
            Self::ShelvedOffloaded => "shelved_offloaded",
            Self::SoftDeleted => "soft-delete",
            Self::Error => "error",
        }
    }
}

/// Nova's `task_state`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Looking for a host.
    #[serde(rename = "scheduling")]
    Scheduling,
    /// Disk and config drive are being made.
    #[serde(rename = "spawning")]
    Spawning,
    /// An image of it is to be made.
    #[serde(rename = "image_snapshot_pending")]
    ImageSnapshotPending,
    /// Its disk is being copied.
    #[serde(rename = "image_snapshot")]
    ImageSnapshot,
    /// The copy of its disk is being uploaded.
    #[serde(rename = "image_uploading")]
    ImageUploading,
    /// A backup of it is being made.
    #[serde(rename = "image_backup")]
    ImageBackup,
    /// Its administrator's password is being set.
    #[serde(rename = "updating_password")]
    UpdatingPassword,
    /// The new flavor is being looked up.
    #[serde(rename = "resize_prep")]
    ResizePrep,
    /// It is being given the new flavor.
    #[serde(rename = "resize_finish")]
    ResizeFinish,
    /// It is being given the old flavor back.
    #[serde(rename = "resize_reverting")]
    ResizeReverting,
    /// What a revert would need is being removed.
    #[serde(rename = "resize_confirming")]
    ResizeConfirming,
    /// Soft reboot.
    #[serde(rename = "rebooting")]
    Rebooting,
    /// Hard reboot.
    #[serde(rename = "rebooting_hard")]
    RebootingHard,
    /// Being paused.
    #[serde(rename = "pausing")]
    Pausing,
    /// Being let go on.
    #[serde(rename = "unpausing")]
    Unpausing,
    /// Its memory is being saved.
    #[serde(rename = "suspending")]
    Suspending,
    /// Its memory is being restored.
    #[serde(rename = "resuming")]
    Resuming,
    /// Being shut down.
    #[serde(rename = "powering-off")]
    PoweringOff,
    /// Being started.
    #[serde(rename = "powering-on")]
    PoweringOn,
    /// Being started from a rescue disk.
    #[serde(rename = "rescuing")]
    Rescuing,
    /// Being started from its own disk again.
    #[serde(rename = "unrescuing")]
    Unrescuing,
    /// Its root disk is being made anew.
    #[serde(rename = "rebuilding")]
    Rebuilding,
    /// Being moved to another host.
    #[serde(rename = "migrating")]
    Migrating,
    /// Being removed.
    #[serde(rename = "deleting")]
    Deleting,
    /// Being put aside for deletion.
    #[serde(rename = "soft-deleting")]
    SoftDeleting,
    /// Being taken back from deletion.
    #[serde(rename = "restoring")]
    Restoring,
    /// Being shelved.
    #[serde(rename = "shelving")]
    Shelving,
    /// The image that a shelved Server is kept as is being uploaded.
    #[serde(rename = "shelving_image_uploading")]
    ShelvingImageUploading,
    /// Being taken off its host.
    #[serde(rename = "shelving_offloading")]
    ShelvingOffloading,
    /// Being taken back from the shelf.
    #[serde(rename = "unshelving")]
    Unshelving,
}

impl TaskState {
    /// Nova's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduling => "scheduling",
            Self::Spawning => "spawning",
            Self::ImageSnapshotPending => "image_snapshot_pending",
            Self::ImageSnapshot => "image_snapshot",
            Self::ImageUploading => "image_uploading",
            Self::ImageBackup => "image_backup",
            Self::UpdatingPassword => "updating_password",
            Self::ResizePrep => "resize_prep",
            Self::ResizeFinish => "resize_finish",
            Self::ResizeReverting => "resize_reverting",
            Self::ResizeConfirming => "resize_confirming",
            Self::Rebooting => "rebooting",
            Self::RebootingHard => "rebooting_hard",
            Self::Pausing => "pausing",
            Self::Unpausing => "unpausing",
            Self::Suspending => "suspending",
            Self::Resuming => "resuming",
            Self::PoweringOff => "powering-off",
            Self::PoweringOn => "powering-on",
            Self::Rescuing => "rescuing",
            Self::Unrescuing => "unrescuing",
            Self::Rebuilding => "rebuilding",
            Self::Migrating => "migrating",
            Self::Deleting => "deleting",
            Self::SoftDeleting => "soft-deleting",
            Self::Restoring => "restoring",
            Self::Shelving => "shelving",
            Self::ShelvingImageUploading => "shelving_image_uploading",
            Self::ShelvingOffloading => "shelving_offloading",
            Self::Unshelving => "unshelving",
        }
    }
}

/// What the hypervisor saw last; Nova's `power_state`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObservedPower {
    /// Nothing is known.
    #[default]
    NoState,
    /// It runs.
    Running,
    /// It stands still.
    Paused,
    /// It is off.
    Shutdown,
    /// QEMU or the guest died.
    Crashed,
    /// Its memory is saved to disk.
    Suspended,
}

impl ObservedPower {
    /// Nova's number.
    pub fn number(self) -> u8 {
        match self {
            Self::NoState => 0,
            Self::Running => 1,
            Self::Paused => 3,
            Self::Shutdown => 4,
            Self::Crashed => 6,
            Self::Suspended => 7,
        }
    }
}
