//! Domains: looking, defining, switching on and off, saving their memory, copying their disks.

pub(crate) mod copy;
pub(crate) mod define;
pub(crate) mod observe;
pub(crate) mod password;
pub(crate) mod power;
pub(crate) mod save;

use ostler_hypervisor::{
    ErrorClass, GuestId, HypervisorError, Owner,
    domain_xml::{self, ReadDomain},
};
use virt::{domain::Domain, error::Error, sys::virDomainXMLFlags};

use crate::{
    error::{failed, foreign, is_gone},
    session::Session,
};

/// A domain, and what its XML says.
pub(crate) struct Found {
    domain: Domain,
    name: String,
    read: ReadDomain,
}

/// A domain of ours.
pub(crate) struct OurDomain {
    domain: Domain,
    owner: Owner,
}

/// The domain with the guest's UUID, or else with its name.
///
/// One that only has the name is never ours: both derive from the id.
fn find(session: &Session, guest: GuestId) -> Result<Option<Found>, HypervisorError> {
    let tried = || failed(format!("look up domain {guest}"));
    if let Some(domain) = present(session.connect.lookup_domain_by_uuid(guest.0)).map_err(tried())? {
        return describe(domain);
    }
    let by_name = present(session.connect.lookup_domain_by_name(&guest.domain_name())).map_err(tried())?;
    Ok(match by_name {
        Some(domain) => {
            describe(domain)?.map(|found| Found { read: ReadDomain { owner: None, ..found.read }, ..found })
        }
        None => None,
    })
}

/// `None`: it went away meanwhile.
fn describe(domain: Domain) -> Result<Option<Found>, HypervisorError> {
    let plain: virDomainXMLFlags = 0;
    let name = domain.name().map_err(failed("read a domain's name"))?;
    let Some(xml) = present(domain.xml_desc(plain)).map_err(failed(format!("read domain {name}")))? else {
        return Ok(None);
    };
    Ok(Some(Found { read: domain_xml::read(&xml)?, domain, name }))
}

/// The guest's domain if it is ours; an error if it is not.
fn ours(session: &Session, guest: GuestId) -> Result<Option<OurDomain>, HypervisorError> {
    match find(session, guest)? {
        None => Ok(None),
        Some(Found { domain, read: ReadDomain { owner: Some(owner), .. }, .. }) => {
            Ok(Some(OurDomain { domain, owner }))
        }
        Some(Found { name, .. }) => Err(foreign(&format!("domain {name}"), "is not Ostler's")),
    }
}

/// The guest's domain, which must be there and ours.
fn must_have(session: &Session, guest: GuestId) -> Result<OurDomain, HypervisorError> {
    let missing = || HypervisorError::new(ErrorClass::NotFound, format!("there is no domain {guest}"));
    ours(session, guest)?.ok_or_else(missing)
}

/// `None` for what is not there.
fn present<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
