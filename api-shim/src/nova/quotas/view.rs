//! Quotas as Nova shows them.

use ostler_crds::quota::{Resource, Usage};
use serde_json::{Map, Value, json};

use crate::{
    http::Microversion,
    shape::{Edit, at_version},
};

/// 2.36 dropped what is Neutron's, 2.57 what was personality.
const EDITS: &[Edit] = &[
    Edit::removed(36, "fixed_ips"),
    Edit::removed(36, "floating_ips"),
    Edit::removed(36, "security_groups"),
    Edit::removed(36, "security_group_rules"),
    Edit::removed(57, "injected_files"),
    Edit::removed(57, "injected_file_content_bytes"),
    Edit::removed(57, "injected_file_path_bytes"),
];
/// Quota classes learned of server groups with 2.50.
const CLASS_EDITS: &[Edit] = &[Edit::added(50, "server_groups"), Edit::added(50, "server_group_members")];

/// Nova's name of a resource.
pub fn name(resource: Resource) -> &'static str {
    match resource {
        Resource::Instances => "instances",
        Resource::Cores => "cores",
        Resource::MemoryMib => "ram",
        Resource::KeyPairs => "key_pairs",
        Resource::MetadataItems => "metadata_items",
        Resource::InjectedFiles => "injected_files",
        Resource::InjectedFileContentBytes => "injected_file_content_bytes",
        Resource::InjectedFilePathBytes => "injected_file_path_bytes",
        Resource::ServerGroups => "server_groups",
        Resource::ServerGroupMembers => "server_group_members",
        Resource::FixedIps => "fixed_ips",
        Resource::FloatingIps => "floating_ips",
        Resource::SecurityGroups => "security_groups",
        Resource::SecurityGroupRules => "security_group_rules",
    }
}

fn each(value: impl Fn(Resource) -> Value, version: Microversion) -> Value {
    let all: Map<String, Value> = Resource::ALL.iter().map(|r| (name(*r).to_owned(), value(*r))).collect();
    let mut document = Value::Object(all);
    at_version(&mut document, EDITS, version);
    document
}

/// The limits.
pub fn limits(limit: impl Fn(Resource) -> i64, version: Microversion) -> Value {
    each(|r| limit(r).into(), version)
}

/// The limits of a class.
pub fn class(limit: impl Fn(Resource) -> i64, version: Microversion) -> Value {
    let mut document = limits(limit, version);
    at_version(&mut document, CLASS_EDITS, version);
    document
}

/// The limits, and what is used of them.
pub fn detail(limit: impl Fn(Resource) -> i64, used: Usage, version: Microversion) -> Value {
    each(|r| json!({"limit": limit(r), "in_use": in_use(r, used), "reserved": 0}), version)
}

/// What is used of a resource. Key pairs, metadata and files are counted by user or server, so Nova says 0 too.
pub fn in_use(resource: Resource, used: Usage) -> u64 {
    match resource {
        Resource::Instances => used.instances,
        Resource::Cores => used.cores,
        Resource::MemoryMib => used.memory_mib,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_resources() {
        let keys = |v| limits(|_| 1, Microversion(v)).as_object().map(Map::len);
        assert_eq!([keys(1), keys(35), keys(36), keys(56), keys(57)].map(Option::unwrap), [14, 14, 10, 10, 7]);
        let classes = |v| class(|_| 1, Microversion(v)).as_object().map(Map::len);
        assert_eq!([classes(1), classes(49), classes(50), classes(57)].map(Option::unwrap), [12, 8, 10, 7]);
        let used = detail(|_| 9, Usage::of(2, 1, 64), Microversion(57));
        assert_eq!(used["ram"], json!({"limit": 9, "in_use": 128, "reserved": 0}));
    }
}
