//! `POST /os-server-groups` as it comes in. Pure.

use ostler_crds::{GroupPolicy, ServerGroup, ServerGroupSpec};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    fault::Fault,
    http::Microversion,
    nova::servers::text,
    shape::{
        Field,
        fields::{self, lenient_int},
    },
    store::slug,
};

/// Keys of `server_group` in a creation.
pub const FIELDS: &[Field] =
    &[Field::new("name"), Field::until("policies", 64), Field::since("policy", 64), Field::since("rules", 64)];
const RULES: &[Field] = &[Field::new("max_server_per_host")];
/// From here on there are soft policies.
const SOFT: Microversion = Microversion(15);

#[derive(Deserialize)]
struct Body {
    name: String,
    #[serde(default)]
    policies: Option<Vec<String>>,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    rules: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Rules {
    #[serde(default, deserialize_with = "lenient_int")]
    max_server_per_host: Option<i64>,
}

/// Reads a group.
pub fn read(body: Map<String, Value>, version: Microversion) -> Result<ServerGroup, Fault> {
    fields::check(&body, FIELDS, version, "server_group")?;
    let body: Body = fields::read(body, "server_group")?;
    text::name_at("server_group.name", &body.name)?;
    let (path, word) = match (&body.policy, body.policies.as_deref()) {
        (Some(word), _) => ("server_group.policy", word),
        (None, Some([word])) => ("server_group.policies", word),
        (None, Some(_)) => return Err(Fault::invalid_field("server_group.policies", "It must have exactly one item.")),
        (None, None) => return Err(Fault::bad_request("'policy' is a required property")),
    };
    let allowed = |p: &GroupPolicy| version >= SOFT || matches!(p, GroupPolicy::Affinity | GroupPolicy::AntiAffinity);
    let policy = GroupPolicy::ALL.into_iter().filter(allowed).find(|p| p.as_str() == word);
    let policy =
        policy.ok_or_else(|| Fault::invalid_field(path, format!("'{}' is no policy.", crate::observe::clean(word))))?;
    let max_servers_per_host = rules(body.rules, policy, version)?;
    let spec = ServerGroupSpec { display_name: Some(body.name.clone()), policy, max_servers_per_host };
    Ok(ServerGroup::new(&slug::slug(&body.name, "group"), spec))
}

fn rules(rules: Option<Map<String, Value>>, policy: GroupPolicy, version: Microversion) -> Result<Option<u32>, Fault> {
    let Some(rules) = rules.filter(|r| !r.is_empty()) else { return Ok(None) };
    fields::check(&rules, RULES, version, "server_group.rules")?;
    if policy != GroupPolicy::AntiAffinity {
        return Err(Fault::bad_request("Only anti-affinity policy supports rules."));
    }
    let rules: Rules = fields::read(rules, "server_group.rules")?;
    let invalid =
        || Fault::invalid_field("server_group.rules.max_server_per_host", "It must be a number of 1 or more.");
    let most = rules.max_server_per_host.ok_or_else(invalid)?;
    u32::try_from(most).ok().filter(|n| *n > 0).map(Some).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn verdict(body: Value, version: u16) -> Result<(GroupPolicy, Option<u32>), u16> {
        let Value::Object(body) = body else { unreachable!() };
        let group = read(body, Microversion(version)).map_err(|f| f.status.as_u16())?;
        Ok((group.spec.policy, group.spec.max_servers_per_host))
    }

    #[rstest]
    #[case(json!({"name": "g", "policies": ["affinity"]}), 1, Ok((GroupPolicy::Affinity, None)))]
    #[case(json!({"name": "g", "policies": ["soft-affinity"]}), 14, Err(400))]
    #[case(json!({"name": "g", "policies": ["soft-affinity"]}), 15, Ok((GroupPolicy::SoftAffinity, None)))]
    #[case(json!({"name": "g", "policies": ["affinity"]}), 64, Err(400))]
    #[case(json!({"name": "g", "policy": "affinity"}), 63, Err(400))]
    #[case(json!({"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": "3"}}), 64,
           Ok((GroupPolicy::AntiAffinity, Some(3))))]
    #[case(json!({"name": "g", "policy": "affinity", "rules": {"max_server_per_host": 3}}), 64, Err(400))]
    #[case(json!({"name": "g", "policy": "affinity", "rules": {}}), 64, Ok((GroupPolicy::Affinity, None)))]
    #[case(json!({"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 0}}), 64, Err(400))]
    #[case(json!({"name": "g", "policy": "anti-affinity", "rules": {"x": 1}}), 64, Err(400))]
    #[case(json!({"name": "g", "policies": ["affinity", "anti-affinity"]}), 1, Err(400))]
    #[case(json!({"name": "g", "policies": []}), 1, Err(400))]
    #[case(json!({"name": "g"}), 1, Err(400))]
    #[case(json!({"name": "", "policies": ["affinity"]}), 1, Err(400))]
    #[case(json!({"name": "g", "policy": "nonsense"}), 64, Err(400))]
    fn a_group_has_one_policy_in_the_form_of_its_version(
        #[case] body: Value,
        #[case] version: u16,
        #[case] expected: Result<(GroupPolicy, Option<u32>), u16>,
    ) {
        assert_eq!(verdict(body, version), expected);
    }
}
