//! A server as Nova shows it: a superset of all versions, cut by the table of [`keys`].

mod keys;

use ostler_crds::{OpenStackId, Server, names::CREATOR_ANNOTATION, server::state::VmState};
use serde_json::{Map, Value, json};

use super::{
    facts::{self, Facts},
    shown::shown,
};
use crate::{
    http::{BaseUrl, Microversion},
    shape::{at_version, links, time},
    store::{deleted_at, names, updated_at},
};

/// Which document it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// One server.
    Show,
    /// An entry of a detailed list.
    Entry,
    /// The answer to an update.
    Update,
    /// The answer to a rebuild.
    Rebuild,
}

/// The id of a server; empty for one that never came from an API server.
pub fn id(server: &Server) -> String {
    OpenStackId::of(&server.metadata).map(|i| i.to_string()).unwrap_or_default()
}

/// Id, name and links.
pub fn brief(server: &Server, base: &BaseUrl) -> Value {
    let id = id(server);
    json!({"links": links::both(base, "servers", &id), "id": id, "name": server.display_name()})
}

/// A server in full.
pub fn full(server: &Server, facts: &Facts, base: &BaseUrl, document: Document, version: Microversion) -> Value {
    let mut map = superset(server, facts, base);
    keys::cut(&mut map, document, version, facts.privileged);
    let mut out = Value::Object(map);
    at_version(&mut out, keys::INNER, version);
    if matches!(document, Document::Update | Document::Rebuild) {
        at_version(&mut out, keys::INNER_OF_CHANGES, version);
    }
    out
}

fn superset(server: &Server, facts: &Facts, base: &BaseUrl) -> Map<String, Value> {
    let (id, shown, spec) = (id(server), shown(server), &server.spec);
    let note = |key: &str| server.metadata.annotations.as_ref().and_then(|a| a.get(key)).cloned();
    let created = server.metadata.creation_timestamp.as_ref().map(|t| time::seconds(t.0));
    let status = server.status.as_ref();
    let launched = status.and_then(|s| s.launched_at.as_ref()).map(|t| time::micros_bare(t.0));
    let keys = json!({
        "id": id, "name": server.display_name(), "status": shown.status,
        "tenant_id": server.metadata.namespace, "user_id": note(CREATOR_ANNOTATION).unwrap_or_default(),
        "metadata": spec.metadata, "hostId": facts::host_id(server),
        "image": image(facts, base), "flavor": flavor(server, facts, base),
        "created": created, "updated": updated_at(&server.metadata).map(time::seconds),
        "addresses": addresses(server), "accessIPv4": note(names::ACCESS_IPV4).unwrap_or_default(),
        "accessIPv6": note(names::ACCESS_IPV6).unwrap_or_default(),
        "links": links::both(base, "servers", &id),
        "OS-DCF:diskConfig": note(names::DISK_CONFIG).unwrap_or_else(|| "MANUAL".to_owned()),
        "OS-EXT-AZ:availability_zone": facts.zone,
        "config_drive": if spec.config_drive { "True" } else { "" },
        "key_name": facts.key_name, "OS-SRV-USG:launched_at": launched,
        "OS-SRV-USG:terminated_at": deleted_at(&server.metadata).map(time::micros_bare),
        "OS-EXT-STS:task_state": shown.task, "OS-EXT-STS:vm_state": shown.vm, "OS-EXT-STS:power_state": shown.power,
        "os-extended-volumes:volumes_attached": [],
        "locked": spec.locked == Some(true), "locked_reason": spec.locked_reason,
        "description": spec.description, "tags": spec.tags,
        "trusted_image_certificates": null, "server_groups": facts.server_groups,
        "pinned_availability_zone": spec.availability_zone,
    });
    let Value::Object(mut out) = keys else { return Map::new() };
    out.extend(attributes(server, facts, &id));
    if !facts.security_groups.is_empty() {
        let groups = facts.security_groups.iter().map(|name| json!({ "name": name })).collect();
        out.insert("security_groups".to_owned(), Value::Array(groups));
    }
    if let Some(progress) = progress(&shown.status) {
        out.insert("progress".to_owned(), progress.into());
    }
    if let Some(fault) = status.and_then(|s| s.fault.as_ref()).filter(|_| shown.vm == VmState::Error.as_str()) {
        let created = time::seconds(fault.created.0);
        out.insert("fault".to_owned(), json!({"code": fault.code, "message": fault.message, "created": created}));
    }
    out
}

/// What is mostly for administrators.
fn attributes(server: &Server, facts: &Facts, id: &str) -> Map<String, Value> {
    let note = |key: &str| server.metadata.annotations.as_ref().and_then(|a| a.get(key));
    let index: u32 = note(names::LAUNCH_INDEX).and_then(|i| i.parse().ok()).unwrap_or(0);
    let spec = &server.spec;
    let user_data = spec.user_data.as_ref().and_then(|u| u.base64.clone().or_else(|| u.text.as_ref().map(encode)));
    let keys = json!({
        "OS-EXT-SRV-ATTR:host": facts.host, "OS-EXT-SRV-ATTR:hypervisor_hostname": facts.host,
        "OS-EXT-SRV-ATTR:instance_name": id,
        "OS-EXT-SRV-ATTR:hostname": spec.hostname.clone().unwrap_or_else(|| server.guest_hostname()),
        "OS-EXT-SRV-ATTR:reservation_id": note(names::RESERVATION).cloned().unwrap_or_default(),
        "OS-EXT-SRV-ATTR:launch_index": index, "OS-EXT-SRV-ATTR:kernel_id": "", "OS-EXT-SRV-ATTR:ramdisk_id": "",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda", "OS-EXT-SRV-ATTR:user_data": user_data,
        "user_data": user_data, "host_status": facts.host_status,
    });
    if let Value::Object(map) = keys { map } else { Map::new() }
}

fn encode(text: &String) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

/// Nova shows a progress only in some states.
fn progress(status: &str) -> Option<u8> {
    match status {
        "ACTIVE" => Some(100),
        "BUILD" | "REBUILD" | "RESIZE" | "VERIFY_RESIZE" | "MIGRATING" => Some(0),
        _ => None,
    }
}

fn image(facts: &Facts, base: &BaseUrl) -> Value {
    match &facts.image {
        Some(id) => json!({"id": id, "links": links::bookmark(base, "images", id)}),
        None => json!(""),
    }
}

fn flavor(server: &Server, facts: &Facts, base: &BaseUrl) -> Value {
    match &facts.flavor {
        Some(f) => json!({
            "id": f.id, "links": links::bookmark(base, "flavors", &f.id), "vcpus": f.vcpus, "ram": f.memory_mib,
            "disk": f.disk_gib, "ephemeral": 0, "swap": 0, "original_name": f.display_name, "extra_specs": f.extra_specs,
        }),
        // The Flavor went before the Server was placed: only its name is left.
        None => json!({
            "id": server.spec.flavor, "links": links::bookmark(base, "flavors", &server.spec.flavor), "vcpus": 0,
            "ram": 0, "disk": 0, "ephemeral": 0, "swap": 0, "original_name": server.spec.flavor, "extra_specs": {},
        }),
    }
}

/// Addresses by the name of their network.
pub fn addresses(server: &Server) -> Value {
    let mut out = Map::new();
    for a in server.status.iter().flat_map(|s| &s.addresses) {
        let version = if a.address.contains(':') { 6 } else { 4 };
        let entry = json!({
            "version": version, "addr": a.address, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": a.mac,
        });
        let list = out.entry(a.label.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(entry);
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests;
