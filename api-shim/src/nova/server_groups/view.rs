//! A server group as Nova shows it.

use ostler_crds::{OpenStackId, Server, ServerGroup, names::CREATOR_ANNOTATION};
use serde_json::{Value, json};

use crate::{
    http::Microversion,
    nova::servers,
    shape::{Edit, at_version},
    store::Stores,
};

const EDITS: &[Edit] = &[
    Edit::added(13, "project_id"),
    Edit::added(13, "user_id"),
    Edit::removed(64, "policies"),
    Edit::removed(64, "metadata"),
    Edit::added(64, "policy"),
    Edit::added(64, "rules"),
];

/// The id of a group; empty for one that never came from an API server.
pub fn id(group: &ServerGroup) -> String {
    OpenStackId::of(&group.metadata).map(|i| i.to_string()).unwrap_or_default()
}

/// Whether a server is in a group.
pub fn is_member(server: &Server, group: &ServerGroup) -> bool {
    let named = server.spec.scheduler_hints.as_ref().and_then(|h| h.group.as_ref());
    named == group.metadata.name.as_ref() && server.metadata.namespace == group.metadata.namespace
}

/// The group with its members.
pub fn full(group: &ServerGroup, stores: &Stores, version: Microversion) -> Value {
    let namespace = group.metadata.namespace.as_deref().unwrap_or_default();
    let mut members = stores.servers.in_namespace(namespace);
    members.retain(|s| is_member(s, group));
    let members: Vec<String> = members.iter().map(|s| servers::view::id(s)).collect();
    let rules = group.spec.max_servers_per_host.map_or(json!({}), |n| json!({"max_server_per_host": n}));
    let creator = group.metadata.annotations.as_ref().and_then(|a| a.get(CREATOR_ANNOTATION));
    let policy = group.spec.policy.as_str();
    let mut document = json!({
        "id": id(group), "name": group.display_name(), "members": members, "policies": [policy], "metadata": {},
        "policy": policy, "rules": rules, "project_id": namespace, "user_id": creator.cloned().unwrap_or_default(),
    });
    at_version(&mut document, EDITS, version);
    document
}

#[cfg(test)]
mod tests {
    use ostler_crds::{GroupPolicy, ServerGroupSpec};

    use super::*;

    #[test]
    fn each_version_has_its_keys() {
        let policy = GroupPolicy::AntiAffinity;
        let spec = ServerGroupSpec { display_name: None, policy, max_servers_per_host: Some(2) };
        let group = ServerGroup::new("g", spec);
        let keys = |version| -> Vec<String> {
            full(&group, &Stores::empty(), Microversion(version)).as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(12), ["id", "members", "metadata", "name", "policies"]);
        assert_eq!(keys(13), ["id", "members", "metadata", "name", "policies", "project_id", "user_id"]);
        assert_eq!(keys(64), ["id", "members", "name", "policy", "project_id", "rules", "user_id"]);
        let document = full(&group, &Stores::empty(), Microversion(64));
        assert_eq!(
            (&document["policy"], &document["rules"]),
            (&json!("anti-affinity"), &json!({"max_server_per_host": 2}))
        );
    }
}
