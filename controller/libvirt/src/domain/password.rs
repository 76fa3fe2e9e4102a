//! Passwords, through the guest's agent.

use ostler_hypervisor::{GuestId, HypervisorError, PasswordHash};
use virt::sys::VIR_DOMAIN_PASSWORD_ENCRYPTED;

use super::must_have;
use crate::{error::failed, job, session::Session};

/// Has the guest's agent set a password.
pub(crate) fn set(session: &Session, guest: GuestId, user: &str, hash: &PasswordHash) -> Result<(), HypervisorError> {
    let domain = must_have(session, guest)?.domain;
    let tried = failed(format!("set the password of {user} in domain {guest}"));
    job::limit_agent(&domain);
    domain.set_user_password(user, &hash.0, VIR_DOMAIN_PASSWORD_ENCRYPTED).map_err(tried)
}
