//! What can go wrong, sorted by what to do about it.

use thiserror::Error;

/// A step or a question failed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct HypervisorError {
    /// What to do about it.
    pub class: ErrorClass,
    /// What libvirt or the system said, with what was tried.
    pub message: String,
}

/// What to do about an error; its name is the metrics label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The hypervisor is away: try again, with backoff.
    Unreachable,
    /// A domain or network that is not Ostler's stands in the way: an admin has to look.
    Foreign,
    /// No room on the host: try again, slowly.
    NoSpace,
    /// The thing asked for does not exist (any more): observe again.
    NotFound,
    /// It took too long: observe again.
    Timeout,
    /// The hypervisor refused for another reason: try again, slowly.
    Refused,
}

impl HypervisorError {
    /// An error of a class.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}
