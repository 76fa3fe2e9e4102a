//! SecurityGroup: which connections the ports of a project's Servers take and make.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of the SecurityGroup that a Server is in which names none. Where no object has this name, it lets everything pass
/// (docs/decisions/0019).
pub const DEFAULT: &str = "default";

/// A SecurityGroup says which connections may be made to and by the Servers of its namespace that name it in
/// `spec.securityGroups`. What no rule of any of a Server's groups allows is dropped at its port; answers to what is
/// allowed pass. A change holds at once, for running guests too; connections that are open stay open.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "SecurityGroup",
    plural = "securitygroups",
    shortname = "secgrp",
    category = "compute",
    namespaced,
    derive = "PartialEq",
    doc = "Which connections may be made to and by Servers.",
    printcolumn(name = "Display name", type_ = "string", json_path = ".spec.displayName"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("!has(self.displayName) || self.displayName != 'default'")
    .message("displayName must not be default: that is the name of the group called default").field_path(".displayName"))]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroupSpec {
    /// The name that OpenStack clients see; free text. Default: `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub description: Option<String>,
    /// What is allowed. Without a rule nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub rules: Vec<SecurityGroupRule>,
}

/// Connections that are allowed.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[x_kube(
    validation = Rule::new("!has(self.remoteCidr) || !has(self.remoteGroup)")
        .message("a rule has remoteCidr or remoteGroup, not both").field_path(".remoteGroup"),
    validation = Rule::new("!has(self.remoteCidr) || (isCIDR(self.remoteCidr) && cidr(self.remoteCidr).ip().family() == (self.etherType == 'IPv6' ? 6 : 4))")
        .message("remoteCidr must be a range of the etherType, such as 10.20.0.0/16").field_path(".remoteCidr"),
    validation = Rule::new("!has(self.protocol) || !self.protocol.matches('^[0-9]+$') || int(self.protocol) <= 255")
        .message("protocol must be a name, any, or a number of 0 to 255").field_path(".protocol"),
    validation = Rule::new("!has(self.portMin) && !has(self.portMax) || has(self.protocol) && self.protocol in ['tcp', 'udp', 'udplite', 'sctp', 'dccp', '6', '17', '33', '132', '136', 'icmp', 'icmpv6', 'ipv6-icmp', '1', '58']")
        .message("portMin and portMax are only for the protocols tcp, udp, udplite, sctp and dccp, and as type and code for icmp and icmpv6").field_path(".portMin"),
    validation = Rule::new("!has(self.protocol) || !(self.protocol in ['tcp', 'udp', 'udplite', 'sctp', 'dccp', '6', '17', '33', '132', '136']) || has(self.portMin) == has(self.portMax) && (!has(self.portMin) || self.portMin >= 1 && self.portMin <= self.portMax)")
        .message("portMin and portMax must both be there, from 1 on, and portMin must not be above portMax").field_path(".portMax"),
    validation = Rule::new("!has(self.protocol) || !(self.protocol in ['icmp', 'icmpv6', 'ipv6-icmp', '1', '58']) || (!has(self.portMax) || has(self.portMin) && self.portMax <= 255) && (!has(self.portMin) || self.portMin <= 255)")
        .message("for ICMP portMin is the type and portMax the code, both of 0 to 255; there is no code without a type").field_path(".portMax")
)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroupRule {
    /// Whether it is about connections to the Server or by it.
    pub direction: Direction,
    /// Internet protocol. No IPv6 passes on the Networks of this version, whatever the rules say.
    #[serde(default)]
    pub ether_type: EtherType,
    /// Protocol: a name (tcp, udp, icmp, …), a number, or any. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(
        pattern = r"^(any|ah|dccp|egp|esp|gre|icmp|icmpv6|igmp|ipip|ipv6-encap|ipv6-frag|ipv6-icmp|ipv6-nonxt|ipv6-opts|ipv6-route|ospf|pgm|rsvp|sctp|tcp|udp|udplite|vrrp|[0-9]{1,3})$"
    ))]
    #[schemars(length(max = 10))]
    pub protocol: Option<String>,
    /// First port of the Server, or of the other side for Egress. For ICMP: the type. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>", range(max = 65535))]
    pub port_min: Option<u16>,
    /// Last port. For ICMP: the code. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>", range(max = 65535))]
    pub port_max: Option<u16>,
    /// Addresses of the other side. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 43))]
    pub remote_cidr: Option<String>,
    /// The other side is a Server in this SecurityGroup of the namespace, by its address on a Network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub remote_group: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub description: Option<String>,
}

/// Which way a connection is opened.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To the Server.
    Ingress,
    /// By the Server.
    Egress,
}

/// Internet protocol of a rule.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EtherType {
    /// Version 4.
    #[default]
    IPv4,
    /// Version 6.
    IPv6,
}

/// Names of protocols with their numbers, as Neutron knows them.
const PROTOCOLS: &[(&str, u8)] = &[
    ("ah", 51),
    ("dccp", 33),
    ("egp", 8),
    ("esp", 50),
    ("gre", 47),
    ("icmp", 1),
    ("icmpv6", 58),
    ("igmp", 2),
    ("ipip", 4),
    ("ipv6-encap", 41),
    ("ipv6-frag", 44),
    ("ipv6-icmp", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("ipv6-route", 43),
    ("ospf", 89),
    ("pgm", 113),
    ("rsvp", 46),
    ("sctp", 132),
    ("tcp", 6),
    ("udp", 17),
    ("udplite", 136),
    ("vrrp", 112),
];

/// Number of a protocol that is named or numbered so; `None` for one that is unknown, and for `any`.
pub fn protocol_number(protocol: &str) -> Option<u8> {
    let named = PROTOCOLS.iter().find(|(name, _)| *name == protocol).map(|(_, number)| *number);
    named.or_else(|| protocol.bytes().all(|b| b.is_ascii_digit()).then(|| protocol.parse().ok())?)
}

impl SecurityGroupRule {
    /// A rule that allows everything in this direction.
    pub fn everything(direction: Direction, ether_type: EtherType) -> Self {
        Self {
            direction,
            ether_type,
            protocol: None,
            port_min: None,
            port_max: None,
            remote_cidr: None,
            remote_group: None,
            description: None,
        }
    }

    /// Whether it allows the same as another; a description allows nothing.
    pub fn same_as(&self, other: &Self) -> bool {
        let bare = |rule: &Self| Self {
            protocol: rule.protocol.clone().filter(|p| p != "any"),
            description: None,
            ..rule.clone()
        };
        bare(self) == bare(other)
    }
}

/// The rules of a project's group `default` where no object has that name: everything passes.
pub fn default_rules() -> Vec<SecurityGroupRule> {
    let each = [Direction::Egress, Direction::Ingress];
    let both = [EtherType::IPv4, EtherType::IPv6];
    each.iter().flat_map(|d| both.iter().map(|e| SecurityGroupRule::everything(*d, *e))).collect()
}

impl SecurityGroup {
    /// The name that OpenStack clients see.
    pub fn display_name(&self) -> &str {
        self.spec.display_name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_have_names_and_numbers() {
        assert_eq!(protocol_number("tcp"), Some(6));
        assert_eq!(protocol_number("132"), Some(132));
        for none in ["any", "256", "", "tcp ", "-1", "+6"] {
            assert_eq!(protocol_number(none), None, "{none}");
        }
    }

    #[test]
    fn rules_are_the_same_by_what_they_allow() {
        let all = SecurityGroupRule::everything(Direction::Ingress, EtherType::IPv4);
        let told = SecurityGroupRule { protocol: Some("any".into()), description: Some("x".into()), ..all.clone() };
        assert!(all.same_as(&told));
        assert!(!all.same_as(&SecurityGroupRule { protocol: Some("tcp".into()), ..all.clone() }));
        assert!(!all.same_as(&SecurityGroupRule::everything(Direction::Egress, EtherType::IPv4)));
    }
}
