//! Network: where guests are plugged in.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rule::not_served;

/// A Network is where guests are plugged in. Admins make it; its addresses are given out cluster-wide, each to one
/// guest for the guest's life.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "Network",
    plural = "networks",
    shortname = "vnet",
    category = "compute",
    status = "NetworkStatus",
    derive = "PartialEq",
    doc = "A network that guests are plugged into, with the addresses that they get.",
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Subnet", type_ = "string", json_path = ".spec.subnets[0].cidr"),
    printcolumn(name = "Default", type_ = "boolean", json_path = ".spec.default"),
    printcolumn(name = "In use", type_ = "integer", json_path = ".status.addressesInUse"),
    printcolumn(name = "Total", type_ = "integer", json_path = ".status.addressesTotal", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = not_served("bridge", "mode Bridge is not served by this version; use mode Nat"),
    validation = Rule::new("self.mode != 'Bridge'").message("mode Bridge is not served yet: use Nat").field_path(".mode"),
    validation = Rule::new("self.mode == oldSelf.mode && (self.subnets == oldSelf.subnets || size(oldSelf.subnets) == 0) && has(self.mtu) == has(oldSelf.mtu) && (!has(self.mtu) || self.mtu == oldSelf.mtu)")
        .message("mode, subnets and mtu of a Network cannot be changed, because guests hold addresses of it: make a new Network")
)]
#[serde(rename_all = "camelCase")]
pub struct NetworkSpec {
    /// The name that OpenStack clients see. Default: `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub description: Option<String>,
    /// How guests reach the world.
    #[serde(default)]
    pub mode: NetworkMode,
    /// For mode Bridge: the host's bridge. Not served yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<BridgeSpec>,
    /// Address ranges: one of IPv4. Without one nothing can be plugged in; it may be added later, once.
    #[serde(default)]
    #[schemars(length(max = 1))]
    pub subnets: Vec<Subnet>,
    /// Largest packet in bytes. Default: the bridge's own (1500).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 576, max = 9216))]
    pub mtu: Option<u32>,
    /// Whether a Server that names no network gets this one. At most one Network should say so.
    #[serde(default)]
    pub default: bool,
    /// Namespaces (projects) that may use it. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), inner(length(max = 63)))]
    pub access: Option<Vec<String>>,
}

/// How guests of a Network reach the world.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// Each host has a bridge of its own behind address translation.
    #[default]
    Nat,
    /// Guests are plugged into a bridge of the host. Not served yet.
    Bridge,
}

/// The host's bridge of a Network of mode Bridge.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BridgeSpec {
    /// Name of the bridge device.
    #[schemars(length(min = 1, max = 15))]
    pub name: String,
}

/// A range of addresses.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("isCIDR(self.cidr) && cidr(self.cidr).ip().family() == 4")
        .message("cidr must be an IPv4 range such as 10.20.0.0/24; IPv6 is not served yet").field_path(".cidr"),
    validation = Rule::new("!isCIDR(self.cidr) || (cidr(self.cidr) == cidr(self.cidr).masked() && cidr(self.cidr).prefixLength() >= 16 && cidr(self.cidr).prefixLength() <= 29)")
        .message("cidr must name the network itself (no host bits) with a prefix of /16 to /29").field_path(".cidr"),
    validation = Rule::new("!has(self.gateway) || (isIP(self.gateway) && isCIDR(self.cidr) && cidr(self.cidr).containsIP(self.gateway))")
        .message("gateway must be an address in cidr").field_path(".gateway"),
    validation = Rule::new("!has(self.gateway) || !self.cidr.startsWith(self.gateway + '/')")
        .message("gateway must not be the address of the network itself").field_path(".gateway"),
    validation = Rule::new("!has(self.dnsServers) || self.dnsServers.all(a, isIP(a) && ip(a).family() == 4)")
        .message("dnsServers must be IPv4 addresses").field_path(".dnsServers"),
    validation = Rule::new("!has(self.pool) || (isIP(self.pool.first) && isIP(self.pool.last) && isCIDR(self.cidr) && cidr(self.cidr).containsIP(self.pool.first) && cidr(self.cidr).containsIP(self.pool.last))")
        .message("pool.first and pool.last must be addresses in cidr").field_path(".pool")
)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// The range, `10.20.0.0/24`.
    #[schemars(length(max = 43))]
    pub cidr: String,
    /// The router's address; the host itself in mode Nat. Default: the first address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 39))]
    pub gateway: Option<String>,
    /// DNS servers that guests are told. Default: the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5), inner(length(max = 39)))]
    pub dns_servers: Option<Vec<String>>,
    /// The part of the range that guests get. Default: all but the network's own, the gateway's and the broadcast address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<AddressPool>,
}

/// A part of a range, both ends included.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AddressPool {
    /// First address.
    #[schemars(length(max = 39))]
    pub first: String,
    /// Last address.
    #[schemars(length(max = 39))]
    pub last: String,
}

/// What the manager says of the Network.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NetworkStatus {
    /// Generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Addresses that guests hold; refreshed at most once a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses_in_use: Option<u64>,
    /// Addresses that can be given out in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses_total: Option<u64>,
    /// Conditions: Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

impl Network {
    /// The name that OpenStack clients see.
    pub fn display_name(&self) -> &str {
        self.spec.display_name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// Whether Servers of `namespace` may use this network.
    pub fn usable_in(&self, namespace: &str) -> bool {
        self.spec.access.as_ref().is_none_or(|a| a.iter().any(|n| n == namespace))
    }
}
