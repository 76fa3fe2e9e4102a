//! A guest that stands still, in memory or on disk.

use ostler_hypervisor::{DomainState, ErrorClass, GuestId, HypervisorError};
use virt::sys::VIR_DOMAIN_SAVE_RUNNING;

use super::{must_have, observe::translate, ours};
use crate::{
    error::failed,
    session::{Driver, Session},
};

/// Has the guest's processors stand still.
pub(crate) fn pause(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let domain = must_have(session, guest)?.domain;
    let tried = || failed(format!("pause domain {guest}"));
    let (state, reason) = domain.state().map_err(tried())?;
    match translate(state, reason) {
        DomainState::Paused | DomainState::NoSpace => Ok(()),
        DomainState::Running | DomainState::ShuttingDown => domain.suspend().map_err(tried()),
        DomainState::Off | DomainState::Crashed => Err(not_running(guest)),
    }
}

/// Has the guest off with its memory saved. It runs again once that is restored, even if it stood still before.
pub(crate) fn save(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let domain = must_have(session, guest)?.domain;
    let tried = || failed(format!("save the memory of domain {guest}"));
    if !domain.is_active().map_err(tried())? {
        return if domain.has_managed_save(0).map_err(tried())? { Ok(()) } else { Err(not_running(guest)) };
    }
    let flags = match session.driver {
        Driver::Qemu => VIR_DOMAIN_SAVE_RUNNING,
        Driver::Test => 0,
    };
    domain.managed_save(flags).map_err(tried())
}

/// Has no saved memory of the guest.
pub(crate) fn discard(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let Some(there) = ours(session, guest)? else { return Ok(()) };
    let tried = || failed(format!("discard the saved memory of domain {guest}"));
    if there.domain.has_managed_save(0).map_err(tried())? {
        there.domain.managed_save_remove(0).map_err(tried())?;
    }
    Ok(())
}

fn not_running(guest: GuestId) -> HypervisorError {
    HypervisorError::new(ErrorClass::Refused, format!("domain {guest} is not running"))
}
