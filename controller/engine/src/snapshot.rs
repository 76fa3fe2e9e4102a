//! Images of Servers: what is ordered of a Server's host, and what is said at the Image meanwhile.
//!
//! ```text
//!   Image with source.server ──► Waits ──► Order ──► Ordered ──► Over (active)       the order is taken back
//!                                  │          the host: copy, upload  │
//!                                  └──────────────────────────────────┴──► Lost (killed)
//! ```

use crate::shelve::is_shelf_of;
use ostler_crds::{
    Image, OpenStackId, Server, ServerStatus, find_condition,
    image::ImageState,
    names::{condition, reason},
    server::{
        SnapshotOrder,
        state::{TaskState, VmState, shown},
    },
};

/// Most images of one Server that are made at a time; the schema of its status has the same.
const MOST: usize = 8;

/// Where an Image of a Server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has its bytes, or never will, or it is being deleted: nothing is to be done for it.
    Over,
    /// Its host is at it.
    Ordered,
    /// It is to be ordered now.
    Order,
    /// It cannot be ordered now.
    Waits(Why),
    /// It will never have bytes.
    Lost(Why),
}

/// Why an Image has no bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// One of [`reason`].
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

/// Where an Image with `spec.source.server` stands. `server` is the Server of that name.
pub fn standing(image: &Image, server: Option<&Server>) -> Standing {
    let state = image.status.as_ref().and_then(|s| s.state);
    let over = matches!(state, Some(ImageState::Active | ImageState::Killed));
    if over || image.metadata.deletion_timestamp.is_some() {
        return Standing::Over;
    }
    let name = image.spec.source.server.as_ref().map_or("", |s| s.name.as_str());
    let is_meant = |server: &&Server| server.metadata.deletion_timestamp.is_none() && is_of(image, server);
    let Some(server) = server.filter(is_meant) else {
        return missing(image, name);
    };
    let default = ServerStatus::default();
    let status = server.status.as_ref().unwrap_or(&default);
    let uid = image.metadata.uid.as_deref().unwrap_or_default();
    if let Some(failed) = status.failed_snapshots.iter().find(|f| f.uid == uid) {
        return Standing::Lost(Why { reason: known(&failed.reason), message: failed.message.clone() });
    }
    if status.snapshots.iter().any(|order| order.uid == uid) {
        return Standing::Ordered;
    }
    match busy(server, status, is_shelf_of(image, server.metadata.uid.as_deref().unwrap_or_default())) {
        Some(what) => {
            let message = format!("Server {name:?} {what}; the image is made as soon as it can be");
            Standing::Waits(Why { reason: reason::SERVER_BUSY, message })
        }
        None => Standing::Order,
    }
}

/// Property of Images that the OpenStack front makes of Servers: the id of the very Server that is meant.
const INSTANCE: &str = "instance_uuid";

/// Whether the Image means this Server, and not an earlier one of its name.
fn is_of(image: &Image, server: &Server) -> bool {
    let own = || OpenStackId::of(&server.metadata).map(|id| id.to_string()).unwrap_or_default();
    image.spec.properties.get(INSTANCE).is_none_or(|id| *id == own())
}

fn missing(image: &Image, name: &str) -> Standing {
    let begun = image.status.as_ref().is_some_and(|s| {
        find_condition(&s.conditions, condition::READY).is_some_and(|c| c.reason == reason::IN_PROGRESS)
    });
    if begun {
        let message = format!("Server {name:?} was deleted before its image was whole; delete this Image");
        return Standing::Lost(Why { reason: reason::SERVER_NOT_FOUND, message });
    }
    let message =
        format!("spec.source.server.name: there is no Server {name:?} in this namespace; see kubectl get servers");
    Standing::Waits(Why { reason: reason::SERVER_NOT_FOUND, message })
}

/// What keeps a Server from being copied now.
fn busy(server: &Server, status: &ServerStatus, shelf: bool) -> Option<String> {
    if status.host.is_none() {
        return Some("has no host, so there is no disk to copy".to_owned());
    }
    let state = shown(server);
    let settled = matches!(state.vm_state, VmState::Active | VmState::Stopped | VmState::Paused | VmState::Suspended);
    if !settled {
        return Some(format!("is {}", state.vm_state.as_str()));
    }
    // One more image of it takes its turn; the one that it is shelved as is what it is busy with.
    let of_images = |task: &TaskState| match task {
        TaskState::ImageSnapshot | TaskState::ImageUploading => true,
        task => *task == TaskState::Shelving && shelf && state.vm_state == VmState::Stopped,
    };
    if let Some(task) = state.task_state.filter(|task| !of_images(task)) {
        return Some(format!("is busy ({})", task.as_str()));
    }
    (status.snapshots.len() >= MOST).then(|| format!("has {MOST} images to be made already"))
}

/// The orders that a Server's host is to have, from those that it has and how the Images of that Server stand. Orders whose
/// Image is gone, over or lost are left out.
pub fn orders<'a>(
    present: &[SnapshotOrder],
    images: impl IntoIterator<Item = (&'a Image, &'a Standing)>,
) -> Vec<SnapshotOrder> {
    let mut wanted: Vec<SnapshotOrder> = Vec::new();
    let mut new: Vec<SnapshotOrder> = Vec::new();
    for (image, standing) in images {
        let order = SnapshotOrder {
            image: image.metadata.name.clone().unwrap_or_default(),
            uid: image.metadata.uid.clone().unwrap_or_default(),
        };
        match standing {
            Standing::Ordered => wanted.push(order),
            Standing::Order => new.push(order),
            Standing::Over | Standing::Waits(_) | Standing::Lost(_) => {}
        }
    }
    // The order of orders is kept: the host does one after the other.
    let place = |order: &SnapshotOrder| present.iter().position(|p| p.uid == order.uid);
    wanted.sort_by_key(place);
    wanted.extend(new);
    wanted.truncate(MOST);
    wanted
}

/// The host's reason as one of ours.
fn known(text: &str) -> &'static str {
    let all = [
        reason::DISK_FULL,
        reason::STORAGE_ERROR,
        reason::HYPERVISOR_ERROR,
        reason::HYPERVISOR_UNREACHABLE,
        reason::FOREIGN_DOMAIN,
        reason::IMAGE_REFUSED,
        reason::UPLOAD_FAILED,
    ];
    all.into_iter().find(|r| *r == text).unwrap_or(reason::HYPERVISOR_ERROR)
}

#[cfg(test)]
mod tests;
