//! Reserve an address for a MAC, and take that back.

use std::net::Ipv4Addr;

use ostler_hypervisor::{
    ErrorClass, HypervisorError,
    network_xml::{self, Reservation, ReservationChange, plan_release, plan_reserve},
};
use virt::{
    network::Network,
    sys::{
        VIR_NETWORK_SECTION_IP_DHCP_HOST, VIR_NETWORK_UPDATE_AFFECT_CONFIG, VIR_NETWORK_UPDATE_AFFECT_LIVE,
        VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_UPDATE_COMMAND_DELETE,
    },
};

use super::{Scope, ours, read};
use crate::{
    error::failed,
    session::{Driver, Session},
};

/// Has DHCP give the address to the MAC, and to nobody else.
pub(crate) fn reserve(session: &Session, name: &str, mac: &str, address: Ipv4Addr) -> Result<(), HypervisorError> {
    let missing = || HypervisorError::new(ErrorClass::NotFound, format!("there is no network {name}"));
    let network = ours(session, name)?.ok_or_else(missing)?;
    let wanted = Reservation { mac: mac.to_ascii_lowercase(), address };
    change(session, &network, name, |there| plan_reserve(there, &wanted))
}

/// Has the MAC without a reservation. A network that is not ours holds none of ours, and no deletion waits for it.
pub(crate) fn release(session: &Session, name: &str, mac: &str) -> Result<(), HypervisorError> {
    let mac = mac.to_ascii_lowercase();
    match ours(session, name) {
        Ok(Some(network)) => change(session, &network, name, |there| plan_release(there, &mac)),
        Ok(None) => Ok(()),
        Err(error) if error.class == ErrorClass::Foreign => Ok(()),
        Err(error) => Err(error),
    }
}

/// Both definitions are planned for and changed apart: a crash in between may have left them different.
fn change(
    session: &Session,
    network: &Network,
    name: &str,
    plan: impl Fn(&[Reservation]) -> Vec<ReservationChange>,
) -> Result<(), HypervisorError> {
    let tried = || failed(format!("change the reservations of network {name}"));
    let active = network.is_active().map_err(tried())?;
    let scopes: &[Scope] = match (active, session.driver) {
        (true, Driver::Qemu) => &[Scope::Config, Scope::Live],
        (true, Driver::Test) => &[Scope::Live],
        (false, _) => &[Scope::Config],
    };
    for scope in scopes {
        let flags = match scope {
            Scope::Config => VIR_NETWORK_UPDATE_AFFECT_CONFIG,
            Scope::Live => VIR_NETWORK_UPDATE_AFFECT_LIVE,
        };
        for change in plan(&read(session, network, name, *scope)?.reservations) {
            let (command, entry) = match change {
                ReservationChange::Remove(entry) => (VIR_NETWORK_UPDATE_COMMAND_DELETE, entry),
                ReservationChange::Add(entry) => (VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, entry),
            };
            let xml = network_xml::render_host(&entry)?;
            network.update(command, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, &xml, flags).map_err(tried())?;
        }
    }
    Ok(())
}
