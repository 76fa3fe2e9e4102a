//! The filter at every guest's port as libvirt's XML: who the guest may claim to be, and whom of the host it may speak to.
//!
//! ```text
//!   FilterDefinition ── render ──► <filter name="ostler-guest">   one for all guests of a host
//!   NicDefinition ── parameters ──► <filterref> of an interface    what differs between guests
//! ```
//!
//! Format: <https://libvirt.org/formatnwfilter.html>, as of libvirt 9.0. All rules are of layer 2 (ebtables): they see a
//! frame before the host routes or translates it, so they hold for any address of the host and need no br_netfilter. Rules
//! of layer 3 are left out on purpose: libvirt accepts what passes them before its networks' own rules are asked, which
//! would open the way from one Network to another.

mod rule;
mod rules;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::Serialize;
use uuid::Uuid;

use self::rule::Rule;
use crate::{
    definition::{FilterDefinition, NicDefinition},
    xml::{self, XmlError},
};

/// Name of the filter.
pub const NAME: &str = "ostler-guest";

/// Where guests find the metadata service.
pub const METADATA_ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// Ports from which Linux opens connections by default (`net.ipv4.ip_local_port_range`). The rules know no connections, so
/// these are open at the gateway: else nobody on the host could reach a guest.
pub const HOST_EPHEMERAL_PORTS: (u16, u16) = (32768, 60999);

/// Most denied ranges that are written; each is one more rule at every port.
pub const MAX_DENIED: usize = 256;

#[derive(Serialize)]
#[serde(rename = "filter")]
struct Filter {
    #[serde(rename = "@name")]
    name: &'static str,
    #[serde(rename = "@chain")]
    chain: &'static str,
    uuid: String,
    rule: Vec<Rule>,
}

/// UUID of the filter: a filter of its name with another one is not Ostler's.
pub fn uuid() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}#{NAME}", xml::NAMESPACE).as_bytes())
}

/// The filter as XML for `virNWFilterDefineXML`.
///
/// Fails when there are more than [`MAX_DENIED`] denied ranges.
pub fn render(definition: &FilterDefinition) -> Result<String, XmlError> {
    let denied = Ipv4Net::aggregate(&definition.denied);
    if denied.len() > MAX_DENIED {
        let count = denied.len();
        return Err(XmlError::Write(format!("{count} ranges are denied to guests, more than {MAX_DENIED}")));
    }
    let rule = rules::rules(definition.metadata_service, &denied);
    xml::write(&Filter { name: NAME, chain: "root", uuid: uuid().to_string(), rule })
}

/// What a guest's interface tells the filter, as (name, value). A name that is there twice is a list.
pub fn parameters(nic: &NicDefinition) -> Vec<(&'static str, String)> {
    let subnet = nic.subnet();
    let mut parameters = vec![
        ("IP", nic.address.to_string()),
        ("GATEWAY", nic.gateway.to_string()),
        ("SUBNET", subnet.network().to_string()),
        ("SUBNET_PREFIX", subnet.prefix_len().to_string()),
        ("BROADCAST", subnet.broadcast().to_string()),
    ];
    let servers = if nic.dns_servers.is_empty() { std::slice::from_ref(&nic.gateway) } else { &nic.dns_servers };
    parameters.extend(servers.iter().map(|server| ("DNS", server.to_string())));
    parameters
}
