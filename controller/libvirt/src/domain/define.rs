//! Have a domain, and have it gone.

use ostler_hypervisor::{
    DomainDefinition, GuestId, HypervisorError,
    domain_xml::{self, DomainType},
};
use virt::{
    domain::Domain,
    error::{Error, ErrorNumber},
    sys::{
        VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE, VIR_DOMAIN_UNDEFINE_NVRAM,
        VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
    },
};

use super::{ours, power::have_off};
use crate::{
    error::{failed, foreign, is_gone},
    session::{Driver, Session},
};

/// Has the persistent domain. One that is off gets this definition; one that runs is left as it is.
pub(crate) fn define(session: &Session, definition: &DomainDefinition) -> Result<(), HypervisorError> {
    let name = definition.id.domain_name();
    let tried = || failed(format!("define domain {name}"));
    if let Some(there) = ours(session, definition.id)? {
        if there.owner.uid != definition.owner.uid {
            let whose = format!("belongs to Server {}/{}", there.owner.namespace, there.owner.name);
            return Err(foreign(&format!("domain {name}"), &whose));
        }
        let active = there.domain.is_active().map_err(tried())?;
        // A transient one becomes persistent by being defined; the run is not touched.
        if active && there.domain.is_persistent().map_err(tried())? {
            return Ok(());
        }
    }
    let kind = match session.driver {
        Driver::Qemu => DomainType::from(definition.accelerator),
        Driver::Test => DomainType::Test,
    };
    let xml = domain_xml::render(definition, kind)?;
    session.connect.define_domain_xml(&xml).map(drop).map_err(tried())
}

/// Has the domain neither running nor defined, with all that libvirt keeps of it.
pub(crate) fn undefine(session: &Session, guest: GuestId) -> Result<(), HypervisorError> {
    let Some(there) = ours(session, guest)? else { return Ok(()) };
    have_off(&there.domain, guest)?;
    match forget(&there.domain) {
        Err(error) if !is_gone(&error) => Err(failed(format!("undefine domain {guest}"))(error)),
        _ => Ok(()),
    }
}

/// An older libvirt, and the test driver, refuse flags for what they do not have.
fn forget(domain: &Domain) -> Result<(), Error> {
    let least = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    let most = least | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;
    match domain.undefine_flags(most) {
        Err(error) if error.code().is(ErrorNumber::InvalidArg) || error.code().is(ErrorNumber::ArgumentUnsupported) => {
            domain.undefine_flags(least)
        }
        result => result,
    }
}
