//! Copies of a running guest's disk: libvirt's backup job in push mode. QEMU keeps what the guest overwrites meanwhile, so
//! the copy is of one moment.

use std::{
    ffi::CString,
    thread,
    time::{Duration, Instant},
};

use ostler_hypervisor::{CopyState, DiskCopy, ErrorClass, GuestId, HypervisorError, disk_copy};
use virt::{domain::Domain, error::ErrorNumber, sys::virDomainXMLFlags};

use super::{must_have, ours};
use crate::{
    error::{failed, is_gone},
    job::{self, Job},
    session::Session,
};

/// How long a job that was told to end may take.
const ENDING: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// Begins. The guest's file systems stand still only until the job has begun, from when on it is of one moment.
pub(crate) fn begin(session: &Session, copy: &DiskCopy) -> Result<(), HypervisorError> {
    let domain = must_have(session, copy.guest)?.domain;
    let tried = || failed(format!("copy a disk of domain {}", copy.guest));
    // libvirt would wait for the end of that one.
    if job::last(&domain).map_err(tried())? == Job::Running {
        let message = format!("domain {} has a job under way", copy.guest);
        return Err(HypervisorError::new(ErrorClass::Refused, message));
    }
    let plain: virDomainXMLFlags = 0;
    let xml = disk_copy::backup_xml(&domain.xml_desc(plain).map_err(tried())?, copy)?;
    let xml = CString::new(xml).map_err(|e| HypervisorError::new(ErrorClass::Refused, e.to_string()))?;
    let frozen = job::freeze(&domain);
    match &frozen {
        Ok(file_systems) => tracing::debug!(guest = %copy.guest, file_systems, "the guest holds still"),
        Err(error) => tracing::debug!(guest = %copy.guest, %error, "copied without the guest's help"),
    }
    let began = job::begin_backup(&domain, &xml);
    // Also after a freeze that failed: it may have come too late only for us.
    thaw(&domain, copy.guest, frozen.is_ok());
    began.map_err(tried())
}

fn thaw(domain: &Domain, guest: GuestId, was_frozen: bool) {
    if let Err(error) = job::thaw(domain)
        && was_frozen
    {
        tracing::warn!(%guest, %error, "the guest's file systems were not let go on");
    }
}

/// Where the last copy stands.
pub(crate) fn state(session: &Session, guest: GuestId) -> Result<CopyState, HypervisorError> {
    let Some(there) = ours(session, guest)? else { return Ok(CopyState::Unknown) };
    match job::last(&there.domain) {
        Ok(Job::None) => Ok(CopyState::Unknown),
        Ok(Job::Running) => Ok(CopyState::Running),
        Ok(Job::Done) => Ok(CopyState::Done),
        Ok(Job::Failed(why)) => Ok(CopyState::Failed(why)),
        // It is off, so the job ended with it.
        Err(error) if is_gone(&error) || error.code().is(ErrorNumber::OperationInvalid) => Ok(CopyState::Unknown),
        Err(error) => Err(failed(format!("look at the copy of a disk of domain {guest}"))(error)),
    }
}

/// Has no job, and the guest's file systems not frozen.
pub(crate) fn end(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let Some(there) = ours(session, guest)? else { return Ok(()) };
    if !there.domain.is_active().map_err(failed(format!("look at domain {guest}")))? {
        return Ok(());
    }
    let deadline = Instant::now() + ENDING;
    let mut refusal = None;
    while state(session, guest)? == CopyState::Running {
        if Instant::now() >= deadline {
            let why = refusal.map_or_else(|| "it goes on".to_owned(), |e: virt::error::Error| e.message().to_owned());
            let message = format!("cannot end the copy of a disk of domain {guest}: {why}");
            return Err(HypervisorError::new(ErrorClass::Timeout, message));
        }
        refusal = job::abort(&there.domain).err();
        thread::sleep(POLL);
    }
    thaw(&there.domain, guest, false);
    Ok(())
}
