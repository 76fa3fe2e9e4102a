//! What goes wrong while an image of a guest is made, and what is told of it.

use ostler_crds::names::reason;
use ostler_engine::guest::FailureKind;
use ostler_hypervisor::{ErrorClass, HypervisorError};

use super::super::storage::StorageError;

/// Why an image was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// The disk was not copied.
    Copy(FailureKind, String),
    /// The OpenStack front was not reached, or broke off.
    Unreachable(String),
    /// The OpenStack front refused the bytes.
    Refused(String),
    /// The OpenStack front refused to take bytes from here.
    Forbidden(String),
    /// The Image is gone or has its bytes already: there is nothing left to do.
    Needless,
}

impl Failed {
    /// What libvirt refuses of a guest that ends or begins just then, it does not refuse a moment later.
    pub(super) fn hypervisor(error: HypervisorError) -> Self {
        let kind = match error.class {
            ErrorClass::Refused | ErrorClass::NotFound => FailureKind::Interrupted,
            class => FailureKind::of(class),
        };
        Self::Copy(kind, error.message)
    }

    pub(super) fn storage(error: &StorageError) -> Self {
        Self::Copy(error.kind(), error.to_string())
    }

    /// Whether another try may succeed by itself, soon.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Copy(kind, _) => matches!(kind, FailureKind::HypervisorUnreachable | FailureKind::Interrupted),
            Self::Unreachable(_) => true,
            Self::Refused(_) | Self::Forbidden(_) | Self::Needless => false,
        }
    }

    /// Reason for the Image's conditions.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Copy(kind, _) => kind.reason(),
            Self::Unreachable(_) | Self::Forbidden(_) | Self::Needless => reason::UPLOAD_FAILED,
            Self::Refused(_) => reason::IMAGE_REFUSED,
        }
    }

    /// For the metrics.
    pub(super) fn kind(&self) -> FailureKind {
        match self {
            Self::Copy(kind, _) => *kind,
            Self::Unreachable(_) => FailureKind::ImageUnreachable,
            Self::Refused(_) | Self::Forbidden(_) | Self::Needless => FailureKind::ImageRefused,
        }
    }

    /// What was tried, what came of it, what to do next. One line.
    pub(super) fn message(&self) -> String {
        let (doing, cause) = match self {
            Self::Copy(_, cause) => ("cannot copy the Server's disk", cause.as_str()),
            Self::Unreachable(cause) | Self::Forbidden(cause) => {
                ("cannot upload the copy of the Server's disk", cause.as_str())
            }
            Self::Refused(cause) => ("the copy of the Server's disk was refused", cause.as_str()),
            Self::Needless => ("the image is not needed any more", ""),
        };
        let cause: String = cause.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(512).collect();
        format!(
            "{doing}: {}. The Server is as it was; delete this Image and make a new one.",
            cause.trim_end_matches('.')
        )
    }
}
