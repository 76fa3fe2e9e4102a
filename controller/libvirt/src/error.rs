//! libvirt's errors, sorted by what to do about them.

use ostler_hypervisor::{ErrorClass, HypervisorError};
use virt::error::{Error, ErrorDomain, ErrorNumber};

/// Turns an error of libvirt into ours; `tried` says what was tried, as in `start domain X`.
pub(crate) fn failed(tried: impl AsRef<str>) -> impl FnOnce(Error) -> HypervisorError {
    move |error| {
        let class = class(error.code().known(), error.domain().known(), error.message());
        HypervisorError::new(class, format!("cannot {}: {}", tried.as_ref(), error.message()))
    }
}

/// A domain or network is there and not ours.
pub(crate) fn foreign(what: &str, whose: &str) -> HypervisorError {
    HypervisorError::new(ErrorClass::Foreign, format!("{what} {whose}: it is left alone"))
}

/// Whether the error says that the domain, network or filter is not there.
pub(crate) fn is_gone(error: &Error) -> bool {
    let gone = [ErrorNumber::NoDomain, ErrorNumber::NoNetwork, ErrorNumber::NoNwfilter];
    gone.into_iter().any(|number| error.code().is(number))
}

/// What libvirt and QEMU say when the host has no room left. It reaches us only as text, in errors of many numbers.
const NO_SPACE: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

/// What to do about an error; numbers and domains that this version does not know are `None`.
fn class(number: Option<ErrorNumber>, domain: Option<ErrorDomain>, message: &str) -> ErrorClass {
    if NO_SPACE.iter().any(|text| message.contains(text)) {
        return ErrorClass::NoSpace;
    }
    match number {
        Some(ErrorNumber::NoConnect | ErrorNumber::InvalidConn | ErrorNumber::NoServer | ErrorNumber::Rpc) => {
            ErrorClass::Unreachable
        }
        // The socket's own errors come as system and internal errors of the RPC domain.
        Some(ErrorNumber::SystemError | ErrorNumber::InternalError) if domain == Some(ErrorDomain::Rpc) => {
            ErrorClass::Unreachable
        }
        Some(ErrorNumber::NoDomain | ErrorNumber::NoNetwork) => ErrorClass::NotFound,
        Some(ErrorNumber::OperationTimeout | ErrorNumber::AgentUnresponsive) => ErrorClass::Timeout,
        _ => ErrorClass::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_to_do_about_them() {
        use ErrorNumber::{InternalError, NoDomain, NoNetwork, OperationInvalid, OperationTimeout, SystemError};
        let broken = "Cannot write data: Broken pipe";
        let full = "unable to write '/var/lib/x': No space left on device";
        let cases = [
            (Some(SystemError), Some(ErrorDomain::Rpc), broken, ErrorClass::Unreachable),
            (Some(InternalError), Some(ErrorDomain::Rpc), "client socket is closed", ErrorClass::Unreachable),
            (Some(SystemError), Some(ErrorDomain::Qemu), "Permission denied", ErrorClass::Refused),
            (Some(SystemError), Some(ErrorDomain::Rpc), full, ErrorClass::NoSpace),
            (Some(InternalError), Some(ErrorDomain::Qemu), full, ErrorClass::NoSpace),
            (Some(NoDomain), Some(ErrorDomain::Qemu), "Domain not found", ErrorClass::NotFound),
            (Some(NoNetwork), Some(ErrorDomain::Network), "Network not found", ErrorClass::NotFound),
            (Some(OperationTimeout), Some(ErrorDomain::Qemu), "cannot acquire state change lock", ErrorClass::Timeout),
            (Some(OperationInvalid), Some(ErrorDomain::Qemu), "domain is not running", ErrorClass::Refused),
            (None, None, "from the future", ErrorClass::Refused),
        ];
        for (number, domain, message, wanted) in cases {
            assert_eq!(class(number, domain, message), wanted, "{message}");
        }
    }
}
