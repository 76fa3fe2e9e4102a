//! Switch a guest on and off.

use std::{
    thread,
    time::{Duration, Instant},
};

use ostler_hypervisor::{DomainState, ErrorClass, GuestId, HypervisorError};
use virt::{
    domain::{Domain, DomainState as State},
    error::{Error, ErrorNumber},
    sys::{VIR_DOMAIN_REBOOT_ACPI_POWER_BTN, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN},
};

use super::{must_have, observe::translate, ours, present};
use crate::{
    error::failed,
    session::{Driver, Session},
};

/// How long a domain may take to be off after libvirt gave up killing it.
const LINGERING: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// Has the guest running: starts, resumes or wakes it. One that shuts down is left to it.
pub(crate) fn start(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let domain = must_have(session, guest)?.domain;
    let tried = || failed(format!("start domain {guest}"));
    let (state, reason) = domain.state().map_err(tried())?;
    let started = match translate(state, reason) {
        DomainState::Running | DomainState::ShuttingDown => Ok(()),
        DomainState::Paused if state.is(State::PMSuspended) => domain.pm_wakeup(0),
        DomainState::Paused | DomainState::NoSpace => domain.resume(),
        DomainState::Off | DomainState::Crashed => domain.create(),
    };
    match started {
        // Somebody else may have been faster.
        Err(error) if !runs(&domain) => Err(tried()(error)),
        _ => Ok(()),
    }
}

/// Presses the guest's power button. A guest that is off has nothing to press.
pub(crate) fn shutdown(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let domain = must_have(session, guest)?.domain;
    let flags = match session.driver {
        Driver::Qemu => VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
        Driver::Test => 0,
    };
    match domain.shutdown_flags(flags) {
        // It ended by itself just now, though it may still count as active for a moment.
        Err(error) if error.code().is(ErrorNumber::OperationInvalid) => Ok(()),
        Err(error) if is_active(&domain) => Err(failed(format!("shut down domain {guest}"))(error)),
        _ => Ok(()),
    }
}

/// Asks the guest to restart by its power button.
pub(crate) fn reboot(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let domain = must_have(session, guest)?.domain;
    let tried = || failed(format!("reboot domain {guest}"));
    if !domain.is_active().map_err(tried())? {
        return Err(HypervisorError::new(ErrorClass::Refused, format!("domain {guest} is not running")));
    }
    let flags = match session.driver {
        Driver::Qemu => VIR_DOMAIN_REBOOT_ACPI_POWER_BTN,
        Driver::Test => 0,
    };
    domain.reboot(flags).map_err(tried())
}

/// Has the guest off, at once.
pub(crate) fn destroy(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    match ours(session, guest)? {
        Some(there) => have_off(&there.domain, guest),
        None => Ok(()),
    }
}

/// Kills the guest and waits until QEMU is gone. libvirt sends SIGTERM, then SIGKILL, and gives up after a while on a
/// QEMU that hangs in the kernel; that may still end.
pub(super) fn have_off(domain: &Domain, guest: GuestId) -> Result<(), HypervisorError> {
    let Err(error) = domain.destroy() else { return Ok(()) };
    let deadline = Instant::now() + LINGERING;
    loop {
        match active(domain) {
            Ok(false) => return Ok(()),
            Ok(true) if Instant::now() < deadline => thread::sleep(POLL),
            _ => return Err(failed(format!("destroy domain {guest}"))(error)),
        }
    }
}

/// A domain that is gone is not active.
fn active(domain: &Domain) -> Result<bool, Error> {
    Ok(present(domain.is_active())?.unwrap_or(false))
}

/// Where that cannot be told, the domain counts as active, so that the first error is reported.
fn is_active(domain: &Domain) -> bool {
    active(domain).unwrap_or(true)
}

fn runs(domain: &Domain) -> bool {
    domain.state().is_ok_and(|(state, reason)| translate(state, reason) == DomainState::Running)
}
