//! Which connections guests may take and make, as rules of nftables in a table of our own.
//!
//! ```text
//!   PortRules ── render ──► text for `nft -f -`, which puts the whole table anew in one go
//!
//!   forward, output: established ─► accept
//!                    from a port (its address) ─► chain of what it may open ─┐
//!                    to a port (its address)   ─► chain of what it may take ─┴─► return: go on; else drop
//! ```
//!
//! The table only ever drops: what it lets pass still goes through all other tables. A guest's address tells its port, for
//! the filter at the port ([`crate::nwfilter_xml`]) lets it use no other. What a guest sends to the host itself (DHCP, DNS,
//! metadata) is that filter's matter; what the host sends to a guest is looked at here. Frames between guests on one bridge
//! come here by br_netfilter (docs/decisions/0019).

mod render;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use ipnet::Ipv4Net;

pub use render::{TABLE, render, revision};

/// All rules at the ports of this host. A port that is not named lets everything pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortRules {
    /// Name of the policy of each port, by its address.
    pub ports: BTreeMap<Ipv4Addr, String>,
    /// What may pass, by the policy's name.
    pub policies: BTreeMap<String, Policy>,
    /// Addresses of the members of groups that rules speak of, by the group's name.
    pub groups: BTreeMap<String, BTreeSet<Ipv4Addr>>,
}

/// What may pass at a port. Answers to it pass, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Connections to the guest; `None`: all.
    pub ingress: Option<BTreeSet<Allow>>,
    /// Connections by the guest; `None`: all.
    pub egress: Option<BTreeSet<Allow>>,
}

/// Connections that are allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allow {
    /// Who is on the other side.
    pub remote: Remote,
    /// What it is.
    pub traffic: Traffic,
}

/// The other side of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remote {
    /// Anybody.
    Anybody,
    /// Whoever has an address of this range.
    Range(Ipv4Net),
    /// A member of the group of this name in [`PortRules::groups`].
    Group(String),
}

/// What goes over a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Traffic {
    /// Anything.
    Anything,
    /// Anything of the protocol with this number.
    Protocol(u8),
    /// To ports of a protocol that has them where TCP has.
    Ports {
        /// Number of the protocol.
        protocol: u8,
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
    },
    /// ICMP of this type, and of this code if one is said.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: Option<u8>,
    },
}

impl PortRules {
    /// Whether there is nothing to drop.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }
}
