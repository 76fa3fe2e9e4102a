//! A reservation: `<host>` in a network's `<dhcp>`.

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::xml::{self, XmlError};

/// An address that DHCP gives to one MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// MAC address, lower case with colons.
    pub mac: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Host name given along.
    pub hostname: Option<String>,
}

#[derive(Serialize)]
#[serde(rename = "host")]
pub(super) struct Host {
    #[serde(rename = "@mac")]
    mac: String,
    #[serde(rename = "@name", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "@ip")]
    ip: String,
}

impl Host {
    pub(super) fn new(reservation: &Reservation) -> Result<Self, XmlError> {
        Ok(Self {
            mac: xml::text("reservation.mac", &reservation.mac)?.to_owned(),
            name: reservation.hostname.as_deref().filter(|name| is_dns_label(name)).map(str::to_owned),
            ip: reservation.address.to_string(),
        })
    }
}

/// One reservation as XML for `virNetworkUpdate`. A host name that is not a DNS label is left out: dnsmasq would refuse
/// its whole list of reservations.
pub fn render_host(reservation: &Reservation) -> Result<String, XmlError> {
    xml::write(&Host::new(reservation)?)
}

fn is_dns_label(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}
