//! libvirt's networks: having one, and reserving addresses on it.

pub(crate) mod ensure;
pub(crate) mod reserve;

use std::sync::{Mutex, MutexGuard, PoisonError};

use ostler_hypervisor::{
    HypervisorError,
    network_xml::{self, ReadNetwork},
};
use virt::{
    network::Network,
    sys::{VIR_NETWORK_XML_INACTIVE, virNetworkXMLFlags},
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

/// The test driver shows one definition only.
fn read(session: &Session, network: &Network, name: &str, scope: Scope) -> Result<ReadNetwork, HypervisorError> {
    let flags: virNetworkXMLFlags = match (scope, session.driver) {
        (Scope::Config, Driver::Qemu) => VIR_NETWORK_XML_INACTIVE,
        (Scope::Live, _) | (Scope::Config, Driver::Test) => 0,
    };
    let xml = network.xml_desc(flags).map_err(failed(format!("read network {name}")))?;
    Ok(network_xml::read(&xml)?)
}
