//! Have a network, running and started with the host.

use ostler_hypervisor::{
    ErrorClass, HypervisorError, NetworkDefinition,
    network_xml::{self, ReadNetwork},
};
use virt::network::Network;

use super::{Scope, ours, read};
use crate::{error::failed, session::Session};

/// Has the network.
///
/// One that was made for an earlier Network of the same name is taken over as it is, so that its guests stay plugged in.
/// One with another subnet or bridge is refused while guests hold addresses of it, and else replaced. Other settings (DNS
/// servers, MTU) are taken over at once when nothing is plugged in; else they are stored, and hold from the network's next
/// start on.
pub(crate) fn ensure(session: &Session, wanted: &NetworkDefinition) -> Result<(), HypervisorError> {
    let name = wanted.name.as_str();
    let tried = || failed(format!("have network {name}"));
    let network = match ours(session, name)? {
        None => define(session, wanted, &[])?,
        Some(network) => renew(session, network, wanted)?,
    };
    if !network.autostart().map_err(tried())? {
        network.set_autostart(true).map_err(tried())?;
    }
    if !network.is_active().map_err(tried())?
        && let Err(error) = network.create()
        // Somebody else may have been faster.
        && !network.is_active().map_err(tried())?
    {
        return Err(tried()(error));
    }
    Ok(())
}

fn define(
    session: &Session,
    wanted: &NetworkDefinition,
    reservations: &[network_xml::Reservation],
) -> Result<Network, HypervisorError> {
    let xml = network_xml::render(wanted, reservations)?;
    session.connect.define_network_xml(&xml).map_err(failed(format!("define network {}", wanted.name)))
}

fn renew(session: &Session, network: Network, wanted: &NetworkDefinition) -> Result<Network, HypervisorError> {
    let name = wanted.name.as_str();
    let there = read(session, &network, name, Scope::Config)?;
    let moved = there.differing_identity(wanted);
    let tried = || failed(format!("have network {name}"));
    let live = match network.is_active().map_err(tried())? {
        true => Some(read(session, &network, name, Scope::Live)?),
        false => None,
    };
    if !moved.is_empty() {
        let held = |it: &ReadNetwork| !it.reservations.is_empty() || it.connections > 0;
        if there.uid.as_ref() == Some(&wanted.uid) || held(&there) || live.as_ref().is_some_and(held) {
            let moved = moved.join(", ");
            let message = format!("network {name} is there with another {moved}, and guests may hold addresses of it");
            return Err(HypervisorError::new(ErrorClass::Refused, message));
        }
        if live.is_some() {
            network.destroy().map_err(tried())?;
        }
        network.undefine().map_err(tried())?;
        return define(session, wanted, &[]);
    }
    let wanted = &there.adopted(wanted);
    let stored = there.differing_settings(wanted);
    let network = if stored.is_empty() { network } else { define(session, wanted, &there.reservations)? };
    let Some(live) = live else { return Ok(network) };
    let waiting = live.differing_settings(wanted);
    if waiting.is_empty() {
        return Ok(network);
    }
    if live.connections == 0 {
        network.destroy().map_err(failed(format!("restart network {name}")))?;
    } else if !stored.is_empty() {
        tracing::warn!(network = name, settings = ?waiting, guests = live.connections, "settings hold from the next start on");
    }
    Ok(network)
}
