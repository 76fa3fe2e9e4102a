//! Background jobs of a domain, and its agent's file systems. `virt` does not wrap these, or (job statistics) makes a
//! vector of a null pointer when there is no job.

#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString},
    os::raw::{c_char, c_int, c_uint},
    ptr,
};

use virt::{domain::Domain, error::Error, sys};

/// What became of a domain's last background job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// None is under way, and libvirtd knows of none before.
    None,
    /// One is under way.
    Running,
    /// The last one is done.
    Done,
    /// The last one failed or was cancelled, with libvirt's words.
    Failed(String),
}

/// Begins a backup. The XML must have no zero byte, which no XML has.
pub(crate) fn begin_backup(domain: &Domain, xml: &CString) -> Result<(), Error> {
    // SAFETY: the domain is alive during the call, the text ends with a zero byte; no checkpoint is asked for.
    let began = unsafe { sys::virDomainBackupBegin(domain.as_ptr(), xml.as_ptr(), ptr::null(), 0) };
    ok(began)
}

/// Asks the job that is under way to end. An error if there is none.
pub(crate) fn abort(domain: &Domain) -> Result<(), Error> {
    // SAFETY: the domain is alive during the call.
    ok(unsafe { sys::virDomainAbortJob(domain.as_ptr()) })
}

/// The domain's job, or how the last one ended.
pub(crate) fn last(domain: &Domain) -> Result<Job, Error> {
    if stats(domain, 0)?.0 != sys::VIR_DOMAIN_JOB_NONE as c_int {
        return Ok(Job::Running);
    }
    let ended = sys::VIR_DOMAIN_JOB_STATS_COMPLETED | sys::VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;
    let (kind, message) = stats(domain, ended)?;
    Ok(match kind.unsigned_abs() {
        sys::VIR_DOMAIN_JOB_COMPLETED => Job::Done,
        sys::VIR_DOMAIN_JOB_NONE => Job::None,
        _ => Job::Failed(message.unwrap_or_else(|| "it was cut off".to_owned())),
    })
}

/// Kind and error message of a job.
fn stats(domain: &Domain, flags: c_uint) -> Result<(c_int, Option<String>), Error> {
    let (mut kind, mut count): (c_int, c_int) = (0, 0);
    let mut params: sys::virTypedParameterPtr = ptr::null_mut();
    // SAFETY: the domain is alive during the call; libvirt writes to the three places, which outlive it.
    ok(unsafe { sys::virDomainGetJobStats(domain.as_ptr(), &mut kind, &mut params, &mut count, flags) })?;
    let mut text: *const c_char = ptr::null();
    // SAFETY: `params` and `count` are libvirt's own, and may be null and zero; the text belongs to `params`, which is freed
    // after it was copied and not used again.
    let message = unsafe {
        let found = sys::virTypedParamsGetString(params, count, sys::VIR_DOMAIN_JOB_ERRMSG.as_ptr(), &mut text);
        let message = (found == 1 && !text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned());
        sys::virTypedParamsFree(params, count);
        message
    };
    Ok((kind, message))
}

/// Seconds for which a guest's agent may keep an answer to itself. Without this libvirt waits for ever.
const AGENT_PATIENCE: c_int = 10;

/// Has libvirt wait for the guest's agent no longer than that.
pub(crate) fn limit_agent(domain: &Domain) {
    // SAFETY: the domain is alive during the call. Where it fails, libvirt is gone, and what follows fails too.
    unsafe { sys::virDomainAgentSetResponseTimeout(domain.as_ptr(), AGENT_PATIENCE, 0) };
}

/// Has the guest's file systems hold still, all data written. Returns how many they are.
pub(crate) fn freeze(domain: &Domain) -> Result<usize, Error> {
    limit_agent(domain);
    // SAFETY: the domain is alive during the call; no list of mount points means all.
    let frozen = unsafe { sys::virDomainFSFreeze(domain.as_ptr(), ptr::null_mut(), 0, 0) };
    usize::try_from(frozen).map_err(|_| Error::last_error())
}

/// Lets the guest's file systems go on.
pub(crate) fn thaw(domain: &Domain) -> Result<(), Error> {
    limit_agent(domain);
    // SAFETY: as in `freeze`.
    let thawed = unsafe { sys::virDomainFSThaw(domain.as_ptr(), ptr::null_mut(), 0, 0) };
    ok(thawed)
}

fn ok(returned: c_int) -> Result<(), Error> {
    if returned < 0 { Err(Error::last_error()) } else { Ok(()) }
}
