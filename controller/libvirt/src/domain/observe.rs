//! What domains there are, and what they do.

use ostler_hypervisor::{DomainState, GuestId, HypervisorError, ObservedDomain, domain_xml::ReadDomain};
use virt::{
    domain::{
        DomainPausedReason, DomainShutoffReason, DomainState as State, DomainStateEnum, DomainStateReason as Reason,
        DomainStateReasonEnum,
    },
    enumutil::Enum,
};

use super::{Found, describe, find, present};
use crate::{error::failed, session::Session};

/// The domain of one guest.
pub(crate) fn one(session: &Session, guest: GuestId) -> Result<Option<ObservedDomain>, HypervisorError> {
    match find(session, guest)? {
        Some(found) => observe(guest, found),
        None => Ok(None),
    }
}

/// All domains that are ours.
pub(crate) fn all(session: &Session) -> Result<Vec<ObservedDomain>, HypervisorError> {
    let mut ours = Vec::new();
    for domain in session.connect.list_all_domains(0).map_err(failed("list domains"))? {
        let Some(found) = describe(domain)? else { continue };
        if found.read.owner.is_none() {
            continue;
        }
        let guest = GuestId(found.domain.uuid().map_err(failed("read a domain's UUID"))?);
        ours.extend(observe(guest, found)?);
    }
    Ok(ours)
}

fn observe(id: GuestId, found: Found) -> Result<Option<ObservedDomain>, HypervisorError> {
    let Found { domain, name, read } = found;
    let tried = format!("observe domain {name}");
    let Some((state, reason)) = present(domain.state()).map_err(failed(&tried))? else { return Ok(None) };
    let Some(persistent) = present(domain.is_persistent()).map_err(failed(&tried))? else { return Ok(None) };
    let state = translate(state, reason);
    // A transient domain can have none, and libvirt refuses the question.
    let saved = persistent && !state.is_active() && {
        let Some(saved) = present(domain.has_managed_save(0)).map_err(failed(&tried))? else { return Ok(None) };
        saved
    };
    let ReadDomain { owner, nics, boot_disk } = read;
    Ok(Some(ObservedDomain { id, name, owner, state, persistent, saved, boot_disk, nics }))
}

/// libvirt's state in our words. A state that this version does not know counts as running, so that nothing is done to
/// the guest.
pub(super) fn translate(state: DomainStateEnum, reason: DomainStateReasonEnum) -> DomainState {
    let Some(state) = state.known() else { return DomainState::Running };
    match state {
        State::NoState | State::Running | State::Blocked => DomainState::Running,
        State::Paused if starved(reason) => DomainState::NoSpace,
        State::Paused | State::PMSuspended => DomainState::Paused,
        State::Shutdown => DomainState::ShuttingDown,
        State::Shutoff if died(reason) => DomainState::Crashed,
        State::Shutoff => DomainState::Off,
        State::Crashed => DomainState::Crashed,
    }
}

/// Whether QEMU stopped the processors because of a failed write. It does so for want of space only; the guest is told of
/// all other failures (QEMU's default, werror=enospc).
fn starved(reason: DomainStateReasonEnum) -> bool {
    let Enum::Known(Reason::Paused(reason)) = reason else { return false };
    reason.is(DomainPausedReason::IOError)
}

/// Whether QEMU ended by itself or could not start; kill -9 of QEMU counts as failed.
fn died(reason: DomainStateReasonEnum) -> bool {
    let Enum::Known(Reason::Shutoff(reason)) = reason else { return false };
    reason.is(DomainShutoffReason::Crashed) || reason.is(DomainShutoffReason::Failed)
}
