//! A network of mode Nat as libvirt's XML.
//!
//! ```text
//!   NetworkDefinition ── render ──► <network> ── libvirt ──► <network> ── read ──► ReadNetwork
//! ```
//!
//! Format: <https://libvirt.org/formatnetwork.html>, as of libvirt 9.0. There is no dynamic range: dnsmasq serves the
//! MACs that have a reservation, and nobody else.

mod host;
mod plan;
mod read;
#[cfg(test)]
mod tests;

use serde::Serialize;
use uuid::Uuid;

pub use self::{
    host::{Reservation, render_host},
    plan::{ReservationChange, plan_release, plan_reserve},
    read::{ReadNetwork, read},
};
use crate::{
    definition::NetworkDefinition,
    xml::{self, XmlError},
};

#[derive(Serialize)]
#[serde(rename = "network")]
struct Network<'a> {
    #[serde(rename = "@xmlns:dnsmasq")]
    xmlns_dnsmasq: &'static str,
    name: &'a str,
    uuid: String,
    metadata: Metadata<'a>,
    forward: Forward,
    bridge: Bridge,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<Mtu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Dns>,
    ip: Ip,
    #[serde(rename = "dnsmasq:options", skip_serializing_if = "Option::is_none")]
    options: Option<Options>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(rename = "ostler:network")]
    network: Mark<'a>,
}

#[derive(Serialize)]
struct Mark<'a> {
    #[serde(rename = "@xmlns:ostler")]
    xmlns: &'static str,
    #[serde(rename = "@uid")]
    uid: &'a str,
}

#[derive(Serialize)]
struct Forward {
    #[serde(rename = "@mode")]
    mode: &'static str,
}

#[derive(Serialize)]
struct Bridge {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@stp")]
    stp: &'static str,
    #[serde(rename = "@delay")]
    delay: u32,
}

#[derive(Serialize)]
struct Mtu {
    #[serde(rename = "@size")]
    size: u32,
}

#[derive(Serialize)]
struct Dns {
    #[serde(rename = "@enable")]
    enable: &'static str,
}

#[derive(Serialize)]
struct Ip {
    #[serde(rename = "@address")]
    address: String,
    #[serde(rename = "@prefix")]
    prefix: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    dhcp: Option<Dhcp>,
}

#[derive(Serialize)]
struct Dhcp {
    host: Vec<host::Host>,
}

#[derive(Serialize)]
struct Options {
    #[serde(rename = "dnsmasq:option")]
    option: Vec<DnsmasqOption>,
}

#[derive(Serialize)]
struct DnsmasqOption {
    #[serde(rename = "@value")]
    value: String,
}

/// UUID of the network: the same on every host, and derived as the bridge's name is.
pub fn uuid(definition: &NetworkDefinition) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, definition.uid.as_bytes())
}

/// What dnsmasq is told beyond what libvirt tells it: to answer no name that a guest gives itself, and the DNS servers for
/// guests, when they are not the gateway.
fn options(definition: &NetworkDefinition) -> Vec<String> {
    let mut options = vec!["dhcp-ignore-names".to_owned()];
    if !definition.dns_servers.is_empty() {
        let servers: Vec<_> = definition.dns_servers.iter().map(ToString::to_string).collect();
        options.push(format!("dhcp-option=option:dns-server,{}", servers.join(",")));
    }
    options
}

/// The network as XML for `virNetworkDefineXML`, with the reservations that it is to keep.
///
/// Where the guests are told other DNS servers, none runs on the host.
pub fn render(definition: &NetworkDefinition, reservations: &[Reservation]) -> Result<String, XmlError> {
    let hosts: Vec<_> = reservations.iter().map(host::Host::new).collect::<Result<_, _>>()?;
    let options: Vec<_> = options(definition).into_iter().map(|value| DnsmasqOption { value }).collect();
    xml::write(&Network {
        xmlns_dnsmasq: "http://libvirt.org/schemas/network/dnsmasq/1.0",
        name: xml::text("network.name", &definition.name)?,
        uuid: uuid(definition).to_string(),
        metadata: Metadata { network: Mark { xmlns: xml::NAMESPACE, uid: xml::text("network.uid", &definition.uid)? } },
        forward: Forward { mode: "nat" },
        bridge: Bridge { name: definition.bridge(), stp: "off", delay: 0 },
        mtu: definition.mtu.map(|size| Mtu { size }),
        dns: (!definition.dns_servers.is_empty()).then_some(Dns { enable: "no" }),
        ip: Ip {
            address: definition.gateway.to_string(),
            prefix: definition.prefix_length,
            dhcp: (!hosts.is_empty()).then_some(Dhcp { host: hosts }),
        },
        options: (!options.is_empty()).then_some(Options { option: options }),
    })
}
