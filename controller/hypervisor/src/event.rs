//! What a hypervisor tells unasked. An event only triggers another pass; nothing is decided on its contents.

use crate::definition::GuestId;

/// A change of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestEvent {
    /// Something about this guest changed.
    Changed(GuestId),
    /// Anything may have changed: the connection was lost and is back.
    Resync,
    /// The connection was lost.
    Disconnected,
}
