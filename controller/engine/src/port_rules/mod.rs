//! From the SecurityGroups that Servers are in, to the rules at their ports. Pure.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::Arc,
};

use ipnet::Ipv4Net;
use ostler_crds::{
    SecurityGroup, Server,
    security_group::{DEFAULT, Direction, EtherType, SecurityGroupRule, protocol_number},
};
use ostler_hypervisor::port_rules::{Allow, Policy, PortRules, Remote, Traffic};
use uuid::Uuid;

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// SecurityGroups by namespace and name.
pub type Groups = BTreeMap<(String, String), Arc<SecurityGroup>>;

/// Namespace and names of the groups of a Server, in an order of their own.
type Membership<'a> = (&'a str, BTreeSet<&'a str>);

/// The rules at the ports of these Servers. Where two claim an address, nothing passes there.
pub fn compile(servers: &[&Server], groups: &Groups) -> PortRules {
    let mut rules = PortRules::default();
    let mut claimed = BTreeSet::new();
    for server in servers {
        let membership = membership(server);
        let policy = policy(&membership, groups);
        let restricted = policy.ingress.is_some() || policy.egress.is_some();
        let name = name_of(&membership);
        for address in addresses(server) {
            if !claimed.insert(address) {
                rules.ports.insert(address, "nobody".to_owned());
            } else if restricted {
                rules.ports.insert(address, name.clone());
            }
        }
        if restricted {
            rules.policies.insert(name, policy);
        }
    }
    let spoken_of: BTreeSet<(String, String)> =
        servers.iter().flat_map(|s| spoken_of(&membership(s), groups)).collect();
    for (namespace, group) in spoken_of {
        let members = servers.iter().filter(|s| membership(s).0 == namespace && membership(s).1.contains(&*group));
        rules.groups.insert(group_name(&namespace, &group), members.flat_map(|s| addresses(s)).collect());
    }
    rules
}

/// The first group of a Server that does not exist. The one called `default` need not.
pub fn missing<'a>(server: &'a Server, groups: &Groups) -> Option<&'a str> {
    let (namespace, names) = membership(server);
    names.into_iter().find(|name| *name != DEFAULT && !groups.contains_key(&key(namespace, name)))
}

fn key(namespace: &str, name: &str) -> (String, String) {
    (namespace.to_owned(), name.to_owned())
}

fn membership(server: &Server) -> Membership<'_> {
    (server.metadata.namespace.as_deref().unwrap_or_default(), server.spec.security_groups().into_iter().collect())
}

fn addresses(server: &Server) -> impl Iterator<Item = Ipv4Addr> {
    server.status.iter().flat_map(|status| &status.addresses).filter_map(|a| a.address.parse().ok())
}

/// The rules of all groups together.
fn policy((namespace, names): &Membership<'_>, groups: &Groups) -> Policy {
    let present = |name: &&str| groups.get(&key(namespace, name));
    if names.iter().any(|name| *name == DEFAULT && present(name).is_none()) {
        return Policy::default();
    }
    let rules: Vec<&SecurityGroupRule> = names.iter().filter_map(present).flat_map(|g| &g.spec.rules).collect();
    Policy {
        ingress: allowed(namespace, &rules, Direction::Ingress),
        egress: allowed(namespace, &rules, Direction::Egress),
    }
}

/// `None`: everything.
fn allowed(namespace: &str, rules: &[&SecurityGroupRule], direction: Direction) -> Option<BTreeSet<Allow>> {
    let fit = rules.iter().filter(|r| r.direction == direction && r.ether_type == EtherType::IPv4);
    let all: BTreeSet<Allow> = fit.filter_map(|rule| allow(namespace, rule)).collect();
    let everything = Allow { remote: Remote::Anybody, traffic: Traffic::Anything };
    (!all.contains(&everything)).then_some(all)
}

/// `None`: of a rule that cannot be read, which allows nothing.
fn allow(namespace: &str, rule: &SecurityGroupRule) -> Option<Allow> {
    let remote = match (&rule.remote_group, &rule.remote_cidr) {
        (Some(group), _) => Remote::Group(group_name(namespace, group)),
        (None, Some(cidr)) => match cidr.parse::<Ipv4Net>().ok()? {
            range if range.prefix_len() == 0 => Remote::Anybody,
            range => Remote::Range(range.trunc()),
        },
        (None, None) => Remote::Anybody,
    };
    let traffic = match rule.protocol.as_deref().filter(|p| *p != "any") {
        None => Traffic::Anything,
        Some(protocol) => match (protocol_number(protocol)?, rule.port_min, rule.port_max) {
            (ICMP, Some(kind), code) => {
                Traffic::Icmp { kind: u8::try_from(kind).ok()?, code: code.map(u8::try_from).transpose().ok()? }
            }
            (ICMPV6, ..) => return None,
            (protocol, Some(first), Some(last)) => Traffic::Ports { protocol, first, last },
            (protocol, None, None) => Traffic::Protocol(protocol),
            (_, Some(_), None) | (_, None, Some(_)) => return None,
        },
    };
    Some(Allow { remote, traffic })
}

/// The groups that the rules of these groups speak of.
fn spoken_of((namespace, names): &Membership<'_>, groups: &Groups) -> Vec<(String, String)> {
    let present = names.iter().filter_map(|name| groups.get(&key(namespace, name)));
    let remotes = present.flat_map(|g| &g.spec.rules).filter_map(|r| r.remote_group.as_ref());
    remotes.map(|remote| key(namespace, remote)).collect()
}

fn group_name(namespace: &str, group: &str) -> String {
    digest(&format!("{namespace}/{group}"))
}

fn name_of((namespace, names): &Membership<'_>) -> String {
    digest(&format!("{namespace}/{}", names.iter().copied().collect::<Vec<_>>().join(",")))
}

/// A name of nothing but letters and digits.
fn digest(text: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string()
}
