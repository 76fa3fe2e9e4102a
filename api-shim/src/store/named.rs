//! Which object a request is about, for Roles that name objects: from what the path says to `metadata.name`. Grants nothing.

use std::collections::HashMap;

use kube::ResourceExt;
use ostler_crds::{SecurityGroup, security_group::DEFAULT};

use super::{Stores, reads, security_groups};
use crate::{authenticate::User, authorize::Rule, neutron::security_groups::view::rule_id};

/// `metadata.name` of the object of `rule`'s kind that the path's parameters name; `None` if it is not known, or if the rule
/// is about no single object.
pub fn named(
    stores: &Stores,
    user: &User,
    project: &str,
    rule: Rule,
    params: &HashMap<String, String>,
) -> Option<String> {
    if matches!(rule.verb, "list" | "create") {
        return None;
    }
    let id = || reads::uuid_of(params.get("id")?);
    let own = |namespace: Option<String>| namespace.as_deref() == Some(project);
    match rule.resource {
        "servers" => stores.servers.by_id(id()?).iter().find(|s| own(s.namespace())).map(|s| s.name_any()),
        "servergroups" => stores.server_groups.by_id(id()?).iter().find(|g| own(g.namespace())).map(|g| g.name_any()),
        "securitygroups" => security_group(stores, project, params),
        "images" => stores.images.by_id(id()?).iter().find(|i| own(i.namespace())).map(|i| i.name_any()),
        "flavors" => reads::flavors_by_id(stores, params.get("id")?).first().map(|f| f.name_any()),
        "networks" => stores.networks.by_id(id()?).first().map(|n| n.name_any()),
        "keypairs" => reads::key_pair_of(stores, &user.id(), project, params.get("name")?).map(|k| k.name_any()),
        _ => None,
    }
}

/// The group that the path names, or the one of the rule that it names.
fn security_group(stores: &Stores, project: &str, params: &HashMap<String, String>) -> Option<String> {
    let id = params.get("id")?;
    let of_rule = |group: &SecurityGroup| group.spec.rules.iter().any(|rule| rule_id(group, rule) == *id);
    if *id == security_groups::default_id(project) {
        return Some(DEFAULT.to_owned());
    }
    let known = stores.security_groups.in_namespace(project);
    known.iter().find(|g| security_groups::id(g) == *id || of_rule(g)).map(|g| g.name_any())
}

/// The namespace of the Server that the path names, if it is another than the token's `project`. Grants nothing.
pub fn elsewhere(stores: &Stores, project: &str, rule: Rule, params: &HashMap<String, String>) -> Option<String> {
    if rule.resource != "servers" || matches!(rule.verb, "list" | "create") {
        return None;
    }
    let known = stores.servers.by_id(reads::uuid_of(params.get("id")?)?);
    if known.iter().any(|s| s.namespace().as_deref() == Some(project)) {
        return None;
    }
    known.first().and_then(|s| s.namespace())
}
