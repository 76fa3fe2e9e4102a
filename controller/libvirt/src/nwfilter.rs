//! Have the filter at the guests' ports.

use ostler_hypervisor::{FilterDefinition, HypervisorError, nwfilter_xml};

use crate::{
    error::{failed, foreign, is_gone},
    session::{Driver, Session},
};

/// Has the filter. libvirt compares it with the one that is there: the same one is no work, another one is put before
/// running guests too, at once.
pub(crate) fn ensure(session: &Session, definition: &FilterDefinition) -> Result<(), HypervisorError> {
    // The test driver has no filters, and asks nobody for them.
    if session.driver == Driver::Test {
        return Ok(());
    }
    let name = nwfilter_xml::NAME;
    match session.connect.lookup_nwfilter_by_name(name) {
        Ok(there) if there.uuid().map_err(failed(format!("read network filter {name}")))? == nwfilter_xml::uuid() => {}
        Ok(_) => return Err(foreign(&format!("network filter {name}"), "is not Ostler's")),
        Err(error) if is_gone(&error) => {}
        Err(error) => return Err(failed(format!("look up network filter {name}"))(error)),
    }
    let xml = nwfilter_xml::render(definition)?;
    session.connect.define_nwfilter_xml(&xml).map(drop).map_err(failed(format!("define network filter {name}")))
}
