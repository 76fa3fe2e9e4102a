//! Shelved Servers: off their hosts, kept as an image.
//!
//! ```text
//!   wish: Shelved                                                    wish: anything else
//!     │ (the host shuts the guest down)                                 ▲
//!     ▼                                                                 │ taken back in time: Discard
//!   at rest ──► MakeImage ──► (snapshot: copied, uploaded) ──► active ──┼──► Commit: status.shelf with the host
//!                                      │ killed                         │       │ (the host removes the guest, says so)
//!                                      └──► Say why; the guest stays ◄──┘       ▼
//!                                                                            LetGo: no host; addresses stay
//!   guest is there again ──► Forget the image ◄── (disk from that image) ◄── placed anew ◄── wish: anything else
//! ```
//!
//! The image is of the generation of the spec that asked for it, and the commit is refused if the Server has changed since:
//! a guest that ran in between is never replaced by an older copy of itself.

use ostler_crds::{
    Image, OpenStackId, Server, find_condition,
    image::ImageState,
    names::{SHELF_GENERATION_LABEL, SHELF_LABEL, condition, reason},
    server::{
        PowerState, ResolvedImage, ServerStatus, Shelf,
        state::{ObservedPower, VmState},
    },
};

use crate::snapshot::Why;

/// What is to be done about a Server's shelf.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing, or nothing yet.
    Nothing,
    /// An image of it is to be made.
    MakeImage,
    /// The image is not wanted any more: the wish was taken back, or the Server has changed since.
    Discard,
    /// The image could not be made, which is to be said.
    Say(Why),
    /// The image is whole: its host is to let go of the guest.
    Commit(Box<Shelf>),
    /// The host has let go.
    LetGo,
    /// The guest is there again.
    Forget,
}

/// What is to be done about a Server's shelf; `image` is the Image that [`SHELF_LABEL`] says to be its.
pub fn next(server: &Server, image: Option<&Image>) -> Next {
    let default = ServerStatus::default();
    let status = server.status.as_ref().unwrap_or(&default);
    if server.metadata.deletion_timestamp.is_some() {
        return Next::Nothing;
    }
    let vm = status.state.as_ref().map(|s| s.vm_state);
    match (&status.shelf, &status.host) {
        (None, Some(host)) if server.spec.power_state == PowerState::Shelved => shelving(server, status, host, image),
        (None, _) => {
            if image.is_some() {
                Next::Discard
            } else {
                Next::Nothing
            }
        }
        (Some(_), None) => Next::Nothing,
        (Some(shelf), Some(host)) if shelf.host.as_ref() == Some(host) => match vm {
            Some(VmState::ShelvedOffloaded) => Next::LetGo,
            _ => Next::Nothing,
        },
        (Some(_), Some(_)) => match vm {
            None | Some(VmState::ShelvedOffloaded | VmState::Building | VmState::Error) => Next::Nothing,
            Some(_) => Next::Forget,
        },
    }
}

fn shelving(server: &Server, status: &ServerStatus, host: &str, image: Option<&Image>) -> Next {
    let Some(image) = image else {
        return if at_rest(server, status) { Next::MakeImage } else { Next::Nothing };
    };
    if image.metadata.deletion_timestamp.is_some() {
        return Next::Nothing;
    }
    if label(image, SHELF_GENERATION_LABEL) != server.metadata.generation.map(|g| g.to_string()).as_deref() {
        return Next::Discard;
    }
    match image.status.as_ref().and_then(|s| s.state) {
        Some(ImageState::Active) => match resolved(image) {
            Some(image) if at_rest(server, status) => {
                Next::Commit(Box::new(Shelf { image, host: Some(host.to_owned()) }))
            }
            Some(_) | None => Next::Nothing,
        },
        Some(ImageState::Killed) => Next::Say(why(image)),
        Some(ImageState::Queued | ImageState::Saving) | None => Next::Nothing,
    }
}

/// Whether the host says that the guest is off, by this very wish.
fn at_rest(server: &Server, status: &ServerStatus) -> bool {
    let off = status.state.as_ref().is_some_and(|s| {
        s.vm_state == VmState::Stopped && !matches!(s.power_state, ObservedPower::Running | ObservedPower::Paused)
    });
    off && status.observed_generation.is_some() && status.observed_generation == server.metadata.generation
}

fn why(image: &Image) -> Why {
    let conditions = image.status.as_ref().map_or(&[][..], |s| &s.conditions);
    let said = find_condition(conditions, condition::READY).map(|c| c.message.clone()).unwrap_or_default();
    let message = format!(
        "the Server cannot be shelved, so its guest stays on its host, switched off: {said} Set spec.powerState to \
         something else and then to Shelved to try again"
    );
    Why { reason: reason::SHELVING_FAILED, message }
}

/// Whether an Image is the shelf of the Server with this uid.
pub fn is_shelf_of(image: &Image, uid: &str) -> bool {
    label(image, SHELF_LABEL) == Some(uid)
}

/// The uid of the Server that an Image is the shelf of.
pub fn shelf_of(image: &Image) -> Option<&str> {
    label(image, SHELF_LABEL)
}

fn label<'a>(image: &'a Image, name: &str) -> Option<&'a str> {
    image.metadata.labels.as_ref()?.get(name).map(String::as_str)
}

fn resolved(image: &Image) -> Option<ResolvedImage> {
    let status = image.status.as_ref()?;
    Some(ResolvedImage {
        namespace: image.metadata.namespace.clone()?,
        name: image.metadata.name.clone()?,
        id: OpenStackId::of(&image.metadata).ok()?.to_string(),
        sha256: status.sha256.clone()?,
        disk_format: image.spec.disk_format,
        size: status.size?,
        virtual_size: status.virtual_size?,
        url: None,
    })
}

#[cfg(test)]
mod tests;
