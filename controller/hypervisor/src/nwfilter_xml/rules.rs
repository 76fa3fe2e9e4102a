//! The rules themselves, in their order: the first that matches decides.
//!
//! | a guest's packet | may pass |
//! |---|---|
//! | with another's MAC, or an ARP or IPv4 packet that claims another's address | no |
//! | IPv6, VLAN tags, anything but ARP, IPv4 and the RARP by which QEMU tells switches of a migration | no |
//! | an answer of a DHCP server | no |
//! | to the gateway: DHCP, ICMP, DNS; TCP to the ports from which the host opens connections | yes |
//! | to the gateway: all else | no |
//! | to its DNS servers (port 53), to the metadata service (port 80) | yes |
//! | broadcast, multicast, loopback, `this network` | no |
//! | to its own subnet | yes |
//! | to a denied range | no |
//! | to the rest of the world | yes |

use ipnet::Ipv4Net;

use super::{
    HOST_EPHEMERAL_PORTS, METADATA_ADDRESS,
    rule::{
        Action::{Accept, Drop},
        Arp,
        Direction::{Both, In, Out},
        Entry, Ip, Mac, Match, Rule, number,
    },
};

/// Loopback is reachable from outside where `route_localnet` is on, as kube-proxy sets it.
const NEVER: [&str; 3] = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3"];

const NO: Option<&str> = Some("no");
const UDP: Option<&str> = Some("udp");
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;
const DNS: u16 = 53;
const HTTP: u16 = 80;

pub(super) fn rules(metadata_service: bool, denied: &[Ipv4Net]) -> Vec<Rule> {
    let ethernet = |protocol| Match::Mac(Mac { protocol: Some(protocol), ..Mac::default() });
    let arp_from = |source| Match::Arp(Arp { source: Some(source), ..Arp::default() });
    let (first, last) = HOST_EPHEMERAL_PORTS;
    let mut entries = vec![
        Entry(Drop, Out, Match::Mac(Mac { match_: NO, source: Some("$MAC"), ..Mac::default() })),
        Entry(Drop, Out, Match::Arp(Arp { match_: NO, source_mac: Some("$MAC"), ..Arp::default() })),
        Entry(Accept, Out, arp_from("$IP")),
        // A probe whether an address is taken (RFC 5227).
        Entry(Accept, Out, arp_from("0.0.0.0")),
        Entry(Accept, In, ethernet("arp")),
        Entry(Accept, In, ethernet("ipv4")),
        Entry(Accept, Out, dhcp(Ip { source: Some("0.0.0.0".into()), ..Ip::to("255.255.255.255") })),
        Entry(Drop, Out, Match::Ip(Ip { match_: NO, source: Some("$IP".into()), ..Ip::default() })),
        Entry(Drop, Out, Match::Ip(Ip { protocol: UDP, source_port: Some(DHCP_SERVER), ..Ip::default() })),
        Entry(Accept, Out, dhcp(Ip::to("$GATEWAY"))),
        Entry(Accept, Out, dhcp(Ip::to("255.255.255.255"))),
        Entry(Accept, Out, Match::Ip(Ip { protocol: Some("icmp"), ..Ip::to("$GATEWAY") })),
        Entry(Accept, Out, Match::Ip(Ip::to("$DNS").port("udp", DNS))),
        Entry(Accept, Out, Match::Ip(Ip::to("$DNS").port("tcp", DNS))),
    ];
    if metadata_service {
        entries.push(Entry(Accept, Out, Match::Ip(Ip::to(METADATA_ADDRESS).port("tcp", HTTP))));
    }
    entries.extend([
        Entry(Accept, Out, Match::Ip(Ip { last_port: Some(last), ..Ip::to("$GATEWAY").port("tcp", first) })),
        Entry(Drop, Out, Match::Ip(Ip::to("$GATEWAY"))),
        Entry(Drop, Out, Match::Ip(Ip::to("$BROADCAST"))),
    ]);
    entries.extend(NEVER.iter().filter_map(|range| range.parse().ok()).map(|range| Entry(Drop, Out, range_of(range))));
    entries.push(Entry(Accept, Out, Match::Ip(Ip { to_prefix: Some("$SUBNET_PREFIX".into()), ..Ip::to("$SUBNET") })));
    entries.extend(denied.iter().map(|range| Entry(Drop, Out, range_of(*range))));
    entries.extend([
        Entry(Accept, Out, ethernet("ipv4")),
        Entry(Accept, Out, ethernet("rarp")),
        Entry(Drop, Both, Match::Everything),
    ]);
    number(entries)
}

/// What a DHCP client sends to there.
fn dhcp(to: Ip) -> Match {
    Match::Ip(Ip { source_port: Some(DHCP_CLIENT), ..to.port("udp", DHCP_SERVER) })
}

fn range_of(range: Ipv4Net) -> Match {
    Match::Ip(Ip { to_prefix: Some(range.prefix_len().to_string()), ..Ip::to(range.network()) })
}
