//! libvirt's errors, sorted by what to do about them.

use ostler_hypervisor::{ErrorClass, HypervisorError};
use virt::error::{Error, ErrorDomain, ErrorNumber};

/// Turns an error of libvirt into ours; `tried` says what was tried, as in `start domain X`.
pub(crate) fn failed(tried: impl AsRef<str>) -> impl FnOnce(Error) -> HypervisorError {
    move |error| {
        let class = class(&error);
        HypervisorError::new(class, format!("cannot {}: {}", tried.as_ref(), error.message()))
    }
}

/// A domain or network is there and not ours.
pub(crate) fn foreign(what: &str, whose: &str) -> HypervisorError {
    HypervisorError::new(ErrorClass::Foreign, format!("{what} {whose}: it is left alone"))
}

/// What to do about an error.
pub(crate) fn class(error: &Error) -> ErrorClass {
    if error.message().contains("No space left on device") || error.message().contains("Disk quota exceeded") {
        return ErrorClass::NoSpace;
    }
    let Some(number) = error.code().known() else { return ErrorClass::Refused };
    match number {
        ErrorNumber::NoConnect | ErrorNumber::InvalidConn | ErrorNumber::NoServer | ErrorNumber::Rpc => {
            ErrorClass::Unreachable
        }
        // The library's own connection broke: the socket's errors come as system and internal errors.
        ErrorNumber::SystemError | ErrorNumber::InternalError if error.domain().is(ErrorDomain::Rpc) => {
            ErrorClass::Unreachable
        }
        ErrorNumber::NoDomain | ErrorNumber::NoNetwork => ErrorClass::NotFound,
        ErrorNumber::OperationTimeout | ErrorNumber::AgentUnresponsive => ErrorClass::Timeout,
        _ => ErrorClass::Refused,
    }
}

/// Whether the error says that the domain or network is not there.
pub(crate) fn is_gone(error: &Error) -> bool {
    error.code().is(ErrorNumber::NoDomain) || error.code().is(ErrorNumber::NoNetwork)
}
