//! libvirt's networks: having one, and reserving addresses on it.

pub(crate) mod ensure;
pub(crate) mod reserve;

use std::sync::{Mutex, MutexGuard, PoisonError};

use ostler_hypervisor::{
    ErrorClass, HypervisorError, ObservedNetwork,
    network_xml::{self, ReadNetwork},
};
use virt::{
    network::Network,
    sys::{VIR_CONNECT_LIST_NETWORKS_ACTIVE, VIR_NETWORK_XML_INACTIVE, virNetworkXMLFlags},
};

use crate::{
    error::{failed, foreign, is_gone},
    session::{Driver, Session},
};

/// Which of a network's two definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The one that outlives its run.
    Config,
    /// The one that runs.
    Live,
}

/// Held while a network is read and then changed.
pub(crate) fn lock(networks: &Mutex<()>) -> MutexGuard<'_, ()> {
    networks.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The network of that name if it is ours; an error if it is not.
fn ours(session: &Session, name: &str) -> Result<Option<Network>, HypervisorError> {
    let network = match session.connect.lookup_network_by_name(name) {
        Ok(network) => network,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(failed(format!("look up network {name}"))(error)),
    };
    match read(session, &network, name, Scope::Config)?.uid {
        Some(_) => Ok(Some(network)),
        None => Err(foreign(&format!("network {name}"), "is not Ostler's")),
    }
}

/// All running networks that are ours.
pub(crate) fn running(session: &Session) -> Result<Vec<ObservedNetwork>, HypervisorError> {
    let all = session.connect.list_all_networks(VIR_CONNECT_LIST_NETWORKS_ACTIVE).map_err(failed("list networks"))?;
    let mut ours = Vec::new();
    for network in all {
        let name = network.name().map_err(failed("read a network's name"))?;
        match read(session, &network, &name, Scope::Live) {
            Ok(ReadNetwork { uid: Some(_), bridge: Some(bridge), .. }) => ours.push(ObservedNetwork { name, bridge }),
            Ok(_) => {}
            // It went away meanwhile.
            Err(error) if error.class == ErrorClass::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ours)
}

/// The test driver shows one definition only.
fn read(session: &Session, network: &Network, name: &str, scope: Scope) -> Result<ReadNetwork, HypervisorError> {
    let flags: virNetworkXMLFlags = match (scope, session.driver) {
        (Scope::Config, Driver::Qemu) => VIR_NETWORK_XML_INACTIVE,
        (Scope::Live, _) | (Scope::Config, Driver::Test) => 0,
    };
    let xml = network.xml_desc(flags).map_err(failed(format!("read network {name}")))?;
    Ok(network_xml::read(&xml)?)
}
