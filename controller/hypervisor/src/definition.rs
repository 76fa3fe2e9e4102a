//! What is asked of a hypervisor: domains and networks as plain data.

use std::{fmt, net::Ipv4Addr, path::PathBuf};

use ipnet::Ipv4Net;
use ostler_crds::host::Accelerator;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a guest: its OpenStack id and the UUID of its domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GuestId(pub Uuid);

impl GuestId {
    /// Name of the guest's domain. Derived from the id alone, so that no user text reaches it.
    pub fn domain_name(self) -> String {
        format!("ostler-{}", self.0.hyphenated())
    }
}

impl fmt::Display for GuestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The Server that a domain belongs to; kept in the domain's `<metadata>`, which marks the domain as Ostler's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Namespace of the Server.
    pub namespace: String,
    /// `metadata.name` of the Server.
    pub name: String,
    /// `metadata.uid` of the Server.
    pub uid: String,
}

/// A domain to be defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainDefinition {
    /// Its UUID.
    pub id: GuestId,
    /// The Server it belongs to.
    pub owner: Owner,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// How it runs.
    pub accelerator: Accelerator,
    /// The disk that it boots from, always qcow2.
    pub root_disk: PathBuf,
    /// A second disk, always qcow2: the guest's own one while it is rescued.
    pub second_disk: Option<PathBuf>,
    /// The config drive, an ISO 9660 image.
    pub config_drive: Option<PathBuf>,
    /// Interfaces, in the guest's order.
    pub nics: Vec<NicDefinition>,
    /// File that gets what the guest writes to its serial port.
    pub console_log: PathBuf,
}

/// An interface of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicDefinition {
    /// MAC address, lower case with colons.
    pub mac: String,
    /// The hypervisor's network ([`NetworkDefinition::name`]).
    pub network: String,
    /// The only address that the guest may use on it.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix_length: u8,
    /// The host's own address on the network: the guest's router.
    pub gateway: Ipv4Addr,
    /// DNS servers that the guest is told; empty: the gateway.
    pub dns_servers: Vec<Ipv4Addr>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
}

impl NicDefinition {
    /// The subnet that the interface is in.
    pub fn subnet(&self) -> Ipv4Net {
        Ipv4Net::new_assert(self.address, self.prefix_length.min(32)).trunc()
    }
}

/// The filter at the guests' ports: one for all guests of this host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterDefinition {
    /// Whether guests may reach the metadata service at 169.254.169.254.
    pub metadata_service: bool,
    /// Where no packet of a guest may go, unless to its own subnet, its DNS servers or the metadata service.
    pub denied: Vec<Ipv4Net>,
}

/// A network of mode Nat on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkDefinition {
    /// The hypervisor's name for it: `ostler-NAME`.
    pub name: String,
    /// `metadata.uid` of the Network; the bridge's name and the network's UUID derive from it.
    pub uid: String,
    /// The host's own address on it: the guests' router.
    pub gateway: Ipv4Addr,
    /// Length of the subnet's prefix.
    pub prefix_length: u8,
    /// DNS servers that guests are told; empty: the gateway.
    pub dns_servers: Vec<Ipv4Addr>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
}

impl NetworkDefinition {
    /// The hypervisor's name for the Network `name`.
    pub fn hypervisor_name(name: &str) -> String {
        format!("ostler-{name}")
    }

    /// Name of the bridge, at most 15 bytes as Linux asks: `osl` and twelve hexadecimal digits of the uid.
    pub fn bridge(&self) -> String {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, self.uid.as_bytes());
        format!("osl{}", &id.simple().to_string()[..12])
    }
}
