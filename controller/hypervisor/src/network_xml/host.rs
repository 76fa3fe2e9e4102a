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
}

#[derive(Serialize)]
#[serde(rename = "host")]
pub(super) struct Host {
    #[serde(rename = "@mac")]
    mac: String,
    #[serde(rename = "@ip")]
    ip: String,
}

impl Host {
    pub(super) fn new(reservation: &Reservation) -> Result<Self, XmlError> {
        Ok(Self {
            mac: xml::text("reservation.mac", &reservation.mac)?.to_owned(),
            ip: reservation.address.to_string(),
        })
    }
}

/// One reservation as XML for `virNetworkUpdate`. It has no name: Networks are shared by namespaces, and the first one's
/// name would shadow the others' (docs/decisions/0011-no-guest-names-in-dns.md).
pub fn render_host(reservation: &Reservation) -> Result<String, XmlError> {
    xml::write(&Host::new(reservation)?)
}
