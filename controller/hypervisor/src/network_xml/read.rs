//! Reads what libvirt says of a network.

use std::net::Ipv4Addr;

use super::{Reservation, options};
use crate::{
    definition::NetworkDefinition,
    xml::{Element, XmlError},
};

/// What Ostler wants to know of a network's XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadNetwork {
    /// `metadata.uid` of the Network it was made for; `None`: it does not carry Ostler's mark.
    pub uid: Option<String>,
    /// Its bridge.
    pub bridge: Option<String>,
    /// The host's own address on it.
    pub gateway: Option<Ipv4Addr>,
    /// Length of the subnet's prefix.
    pub prefix_length: Option<u8>,
    /// Largest packet in bytes; `None`: the bridge's own.
    pub mtu: Option<u32>,
    /// What dnsmasq is told beyond what libvirt tells it.
    pub dnsmasq_options: Vec<String>,
    /// The reservations.
    pub reservations: Vec<Reservation>,
    /// How many interfaces are plugged in; only the XML of an active network tells.
    pub connections: u32,
}

/// Reads a `<network>`; what it does not know it skips.
pub fn read(xml: &str) -> Result<ReadNetwork, XmlError> {
    let network = Element::parse(xml)?;
    let ip = network.child("ip");
    let number = |element: Option<&Element>, name: &str| element?.attribute(name)?.parse::<u32>().ok();
    let reservations = ip.and_then(|ip| ip.child("dhcp")).into_iter().flat_map(|dhcp| dhcp.children("host"));
    Ok(ReadNetwork {
        uid: network.mark("network").and_then(|mark| mark.attribute("uid")).map(str::to_owned),
        bridge: network.child("bridge").and_then(|bridge| bridge.attribute("name")).map(str::to_owned),
        gateway: ip.and_then(|ip| ip.attribute("address")?.parse().ok()),
        prefix_length: ip.and_then(prefix_length),
        mtu: number(network.child("mtu"), "size"),
        dnsmasq_options: network
            .child("options")
            .into_iter()
            .flat_map(|options| options.children("option"))
            .filter_map(|option| option.attribute("value").map(str::to_owned))
            .collect(),
        reservations: reservations.filter_map(reservation).collect(),
        connections: number(Some(&network), "connections").unwrap_or(0),
    })
}

/// libvirt gives back `prefix` or `netmask`, as it was given.
fn prefix_length(ip: &Element) -> Option<u8> {
    if let Some(prefix) = ip.attribute("prefix") {
        return prefix.parse().ok();
    }
    let mask: Ipv4Addr = ip.attribute("netmask")?.parse().ok()?;
    u8::try_from(u32::from(mask).leading_ones()).ok()
}

fn reservation(host: &Element) -> Option<Reservation> {
    Some(Reservation { mac: host.attribute("mac")?.to_ascii_lowercase(), address: host.attribute("ip")?.parse().ok()? })
}

impl ReadNetwork {
    /// What of the network cannot be changed while guests hold addresses of it, and differs from the definition. Whom it
    /// was made for does not count: a Network that was deleted and made again is the same to its guests.
    pub fn differing_identity(&self, definition: &NetworkDefinition) -> Vec<&'static str> {
        let kept = self.adopted(definition);
        let checks = [
            ("bridge", self.bridge.as_deref() == Some(kept.bridge().as_str())),
            ("gateway", self.gateway == Some(definition.gateway)),
            ("prefix length", self.prefix_length == Some(definition.prefix_length)),
        ];
        checks.into_iter().filter_map(|(name, same)| (!same).then_some(name)).collect()
    }

    /// The definition with the uid that the network was made for, from which its bridge and UUID derive.
    pub fn adopted(&self, definition: &NetworkDefinition) -> NetworkDefinition {
        let uid = self.uid.clone().unwrap_or_else(|| definition.uid.clone());
        NetworkDefinition { uid, ..definition.clone() }
    }

    /// What of the network's settings differs from the definition.
    pub fn differing_settings(&self, definition: &NetworkDefinition) -> Vec<&'static str> {
        let checks =
            [("mtu", self.mtu == definition.mtu), ("DNS servers", self.dnsmasq_options == options(definition))];
        checks.into_iter().filter_map(|(name, same)| (!same).then_some(name)).collect()
    }
}
