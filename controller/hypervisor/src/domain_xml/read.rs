//! Reads what libvirt says of a domain: who owns it, and where its interfaces are.

use std::path::PathBuf;

use super::disk;
use crate::{
    definition::Owner,
    xml::{Element, XmlError},
};

/// What Ostler wants to know of a domain's XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDomain {
    /// The Server it belongs to; `None`: it does not carry Ostler's mark.
    pub owner: Option<Owner>,
    /// The (network, MAC) pairs of its interfaces on libvirt networks, in order.
    pub nics: Vec<(String, String)>,
    /// The file of its first disk.
    pub boot_disk: Option<PathBuf>,
}

/// Reads a `<domain>`; what it does not know it skips.
pub fn read(xml: &str) -> Result<ReadDomain, XmlError> {
    let domain = Element::parse(xml)?;
    let owner = domain.mark("server").and_then(|server| {
        Some(Owner {
            namespace: server.attribute("namespace")?.to_owned(),
            name: server.attribute("name")?.to_owned(),
            uid: server.attribute("uid")?.to_owned(),
        })
    });
    let nics =
        domain.child("devices").into_iter().flat_map(|devices| devices.children("interface")).filter_map(|nic| {
            let network = nic.child("source")?.attribute("network")?;
            let mac = nic.child("mac")?.attribute("address")?;
            Some((network.to_owned(), mac.to_owned()))
        });
    let boot_disk = domain.child("devices").into_iter().flat_map(|devices| devices.children("disk")).find_map(|disk| {
        let root = disk.child("target")?.attribute("dev")? == disk::ROOT;
        disk.child("source")?.attribute("file").filter(|_| root).map(PathBuf::from)
    });
    Ok(ReadDomain { owner, nics: nics.collect(), boot_disk })
}
