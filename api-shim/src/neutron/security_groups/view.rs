//! Groups and rules as Neutron shows them.

use ostler_crds::{
    SecurityGroup,
    security_group::{Direction, EtherType, SecurityGroupRule},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    shape::time,
    store::{
        Stores,
        security_groups::{get, id, is_default},
        updated_at,
    },
};

/// The id of a rule: of what it allows in its group, for two rules there that allow the same are one.
pub fn rule_id(group: &SecurityGroup, rule: &SecurityGroupRule) -> String {
    let bare =
        SecurityGroupRule { protocol: rule.protocol.clone().filter(|p| p != "any"), description: None, ..rule.clone() };
    let text = format!("{}/{}", id(group), serde_json::to_string(&bare).unwrap_or_default());
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
}

/// The id of the group that a rule speaks of. One that is gone has an id too: without one the rule would look open to all.
fn remote_id(stores: &Stores, namespace: &str, name: &str) -> String {
    let known = get(stores, namespace, name).map(|g| id(&g));
    known.unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{namespace}/{name}").as_bytes()).to_string())
}

/// Neutron's word.
pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

/// Neutron's word.
pub fn ether_type(ether_type: EtherType) -> &'static str {
    match ether_type {
        EtherType::IPv4 => "IPv4",
        EtherType::IPv6 => "IPv6",
    }
}

/// A rule.
pub fn rule(stores: &Stores, group: &SecurityGroup, rule: &SecurityGroupRule) -> Value {
    let project = group.metadata.namespace.as_deref().unwrap_or_default();
    let created = group.metadata.creation_timestamp.as_ref().map(|t| time::seconds(t.0));
    json!({
        "id": rule_id(group, rule), "security_group_id": id(group), "direction": direction(rule.direction),
        "ethertype": ether_type(rule.ether_type), "protocol": rule.protocol.as_ref().filter(|p| *p != "any"),
        "port_range_min": rule.port_min, "port_range_max": rule.port_max, "remote_ip_prefix": rule.remote_cidr,
        "normalized_cidr": rule.remote_cidr.as_deref().and_then(normalized),
        "remote_group_id": rule.remote_group.as_ref().map(|name| remote_id(stores, project, name)),
        "remote_address_group_id": null, "belongs_to_default_sg": is_default(group),
        "description": rule.description.clone().unwrap_or_default(), "project_id": project, "tenant_id": project,
        "revision_number": 0, "tags": [], "created_at": created, "updated_at": created,
    })
}

fn normalized(cidr: &str) -> Option<String> {
    cidr.parse::<ipnet::IpNet>().ok().map(|range| range.trunc().to_string())
}

/// A group with its rules.
pub fn group(stores: &Stores, group: &SecurityGroup) -> Value {
    let project = group.metadata.namespace.as_deref().unwrap_or_default();
    let rules: Vec<Value> = group.spec.rules.iter().map(|r| rule(stores, group, r)).collect();
    let created = group.metadata.creation_timestamp.as_ref().map(|t| time::seconds(t.0));
    json!({
        "id": id(group), "name": group.display_name(), "description": group.spec.description.clone().unwrap_or_default(),
        "project_id": project, "tenant_id": project, "security_group_rules": rules, "stateful": true, "shared": false,
        "tags": [], "revision_number": group.metadata.generation.unwrap_or(1),
        "created_at": created, "updated_at": updated_at(&group.metadata).map(time::seconds),
    })
}
