//! `/os-hypervisors`: Hosts and what they have. By UUID from 2.53 on; 2.88 dropped what Placement tells better.

use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt;
use ostler_crds::Host;
use serde_json::{Value, json};

use super::host;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply, page::Page},
    nova::servers::view::id as server_id,
    observe::clean,
    shape::{Edit, at_version, links},
    store::Stores,
};

/// First version with pages.
const PAGED: Microversion = Microversion(33);
/// First version with UUIDs, and with searching in the list itself.
const UUIDS: Microversion = Microversion(53);
/// Largest page.
const MAX_PAGE: usize = 1000;

const EDITS: &[Edit] = &[
    Edit::reformed(28, "cpu_info", |v| *v = Value::String(v.to_string())),
    Edit::added(88, "uptime"),
    Edit::removed(88, "cpu_info"),
    Edit::removed(88, "current_workload"),
    Edit::removed(88, "disk_available_least"),
    Edit::removed(88, "free_disk_gb"),
    Edit::removed(88, "free_ram_mb"),
    Edit::removed(88, "local_gb"),
    Edit::removed(88, "local_gb_used"),
    Edit::removed(88, "memory_mb"),
    Edit::removed(88, "memory_mb_used"),
    Edit::removed(88, "running_vms"),
    Edit::removed(88, "vcpus"),
    Edit::removed(88, "vcpus_used"),
];

fn id_of(host: &Host, version: Microversion) -> Value {
    let uuid = host::uuid(host);
    if version >= UUIDS { uuid.to_string().into() } else { host::number(uuid).into() }
}

fn id_text(host: &Host, version: Microversion) -> String {
    let uuid = host::uuid(host);
    if version >= UUIDS { uuid.to_string() } else { host::number(uuid).to_string() }
}

fn brief(host: &Host, version: Microversion) -> Value {
    json!({
        "id": id_of(host, version), "hypervisor_hostname": host.name_any(), "state": host::state(host),
        "status": host::status(host),
    })
}

/// `7.2.0` as libvirt counts: 7002000.
fn version_number(text: &str) -> u64 {
    let mut parts = text.split('.').map(|p| p.parse::<u64>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    next() * 1_000_000 + next() * 1000 + next()
}

fn full(stores: &Stores, host: &Host, version: Microversion, now: Timestamp) -> Value {
    let servers = host::servers(stores, host);
    let (has, used) = (host::capacity(host), host::used(&servers));
    let status = host.status.clone().unwrap_or_default();
    let address = status.endpoint.as_ref().and_then(|e| url::Url::parse(&e.url).ok());
    let address = address.as_ref().and_then(|u| u.host_str()).map(|h| h.trim_matches(['[', ']']).to_owned());
    let service = host::service_uuid(host);
    let service_id = if version >= UUIDS { json!(service.to_string()) } else { json!(host::number(service)) };
    let mut document = brief(host, version);
    let more = json!({
        "cpu_info": {}, "current_workload": 0, "disk_available_least": null,
        "free_disk_gb": has.disk_gib.saturating_sub(used.disk_gib),
        "free_ram_mb": has.memory_mib.saturating_sub(used.memory_mib),
        "host_ip": address.filter(|a| a.parse::<std::net::IpAddr>().is_ok()),
        "hypervisor_type": "QEMU",
        "hypervisor_version": version_number(status.qemu_version.as_deref().unwrap_or_default()),
        "local_gb": has.disk_gib, "local_gb_used": used.disk_gib, "memory_mb": has.memory_mib,
        "memory_mb_used": used.memory_mib, "running_vms": servers.len(), "vcpus": has.vcpus,
        "vcpus_used": used.vcpus, "uptime": host::uptime(host, now),
        "service": {"host": host.name_any(), "id": service_id, "disabled_reason": host.spec.disabled_reason},
    });
    if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
        document.extend(more);
    }
    at_version(&mut document, EDITS, version);
    document
}

fn with_servers(stores: &Stores, host: &Host, mut document: Value) -> Value {
    let servers = host::servers(stores, host);
    // Nova leaves the key out where there are none.
    if !servers.is_empty() {
        let entries =
            servers.iter().map(|s| json!({"uuid": server_id(s), "name": format!("instance-{}", server_id(s))}));
        document["servers"] = entries.collect::<Vec<Value>>().into();
    }
    document
}

/// Id, name and state of each.
pub async fn list(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    listed(&inbound, |host| brief(host, inbound.version))
}

/// Each in full.
pub async fn detail(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let now = Timestamp::now();
    listed(&inbound, |host| full(&inbound.app.stores, host, inbound.version, now))
}

fn listed(inbound: &Inbound, view: impl Fn(&Host) -> Value) -> Result<Reply, Fault> {
    let (stores, version, query) = (&inbound.app.stores, inbound.version, &inbound.query);
    query.strict(&["limit", "marker", "hypervisor_hostname_pattern", "with_servers"], version)?;
    let mut hosts = host::all(stores);
    let pattern = query.get("hypervisor_hostname_pattern").filter(|_| version >= UUIDS);
    if let Some(pattern) = pattern {
        hosts.retain(|h| h.name_any().contains(pattern));
        if hosts.is_empty() {
            return Err(Fault::not_found(format!("No hypervisor matching '{}' could be found.", clean(pattern))));
        }
    }
    let wanted = version >= UUIDS && query.flag("with_servers")?.unwrap_or(false);
    let mut document = json!({});
    if version >= PAGED && pattern.is_none() {
        let page = Page::of(query, MAX_PAGE, MAX_PAGE)?;
        let marker = |h: &Arc<Host>| id_text(h, version);
        let (cut, more) = page.cut(hosts, marker)?;
        if let Some(last) = cut.last().filter(|_| more) {
            document["hypervisors_links"] = links::next(inbound, &marker(last));
        }
        hosts = cut;
    }
    let one = |h: &Arc<Host>| if wanted { with_servers(stores, h, view(h)) } else { view(h) };
    document["hypervisors"] = hosts.iter().map(one).collect::<Vec<Value>>().into();
    Ok(Reply::ok(&document))
}

/// The Host that the path names by id.
fn find(inbound: &Inbound) -> Result<Arc<Host>, Fault> {
    let id = inbound.param("id");
    if inbound.version >= UUIDS && uuid::Uuid::parse_str(id).is_err() {
        return Err(Fault::bad_request(format!("Invalid uuid {}", clean(id))));
    }
    let fits = |h: &Arc<Host>| id_text(h, inbound.version) == id;
    let found = host::all(&inbound.app.stores).into_iter().find(fits);
    found.ok_or_else(|| Fault::not_found(format!("Hypervisor with ID '{}' could not be found.", clean(id))))
}

/// One in full.
pub async fn show(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let (stores, version) = (&inbound.app.stores, inbound.version);
    inbound.query.strict(&["with_servers"], version)?;
    let host = find(&inbound)?;
    let mut document = full(stores, &host, version, Timestamp::now());
    if version >= UUIDS && inbound.query.flag("with_servers")?.unwrap_or(false) {
        document = with_servers(stores, &host, document);
    }
    Ok(Reply::ok(&json!({ "hypervisor": document })))
}

/// How long one has run.
pub async fn uptime(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let host = find(&inbound)?;
    let uptime = host::uptime(&host, Timestamp::now());
    let mut document = brief(&host, inbound.version);
    document["uptime"] = uptime.ok_or_else(|| Fault::not_served("The uptime of a host that does not tell it"))?.into();
    Ok(Reply::ok(&json!({ "hypervisor": document })))
}

/// The sums over all that are enabled.
pub async fn statistics(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let stores = &inbound.app.stores;
    let mut sums = json!({
        "count": 0, "current_workload": 0, "disk_available_least": 0, "free_disk_gb": 0, "free_ram_mb": 0, "local_gb": 0,
        "local_gb_used": 0, "memory_mb": 0, "memory_mb_used": 0, "running_vms": 0, "vcpus": 0, "vcpus_used": 0,
    });
    for host in host::all(stores).iter().filter(|h| h.spec.schedulable) {
        let document = full(stores, host, Microversion::MIN, Timestamp::UNIX_EPOCH);
        if let Value::Object(sums) = &mut sums {
            for (key, sum) in sums {
                let more = if key == "count" { 1 } else { document[key].as_u64().unwrap_or(0) };
                *sum = (sum.as_u64().unwrap_or(0) + more).into();
            }
        }
    }
    Ok(Reply::ok(&json!({ "hypervisor_statistics": sums })))
}

fn matching(inbound: &Inbound) -> Result<Vec<Arc<Host>>, Fault> {
    let pattern = inbound.param("id");
    let mut hosts = host::all(&inbound.app.stores);
    hosts.retain(|h| h.name_any().contains(pattern));
    if hosts.is_empty() {
        return Err(Fault::not_found(format!("No hypervisor matching '{}' could be found.", clean(pattern))));
    }
    Ok(hosts)
}

/// Those whose name has a text in it (below 2.53).
pub async fn search(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let found: Vec<Value> = matching(&inbound)?.iter().map(|h| brief(h, inbound.version)).collect();
    Ok(Reply::ok(&json!({ "hypervisors": found })))
}

/// The same with their servers (below 2.53).
pub async fn servers(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let stores = &inbound.app.stores;
    let one = |h: &Arc<Host>| with_servers(stores, h, brief(h, inbound.version));
    let found: Vec<Value> = matching(&inbound)?.iter().map(one).collect();
    Ok(Reply::ok(&json!({ "hypervisors": found })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Host",
            "metadata": {"name": "h", "uid": uuid::Uuid::from_u128(7).to_string()}, "spec": {},
            "status": {"capacity": {"vcpus": 4, "memoryMiB": 2048, "diskGiB": 10}, "qemuVersion": "7.2.11",
                       "endpoint": {"url": "https://[fe80::1]:10350", "caBundle": ""}},
        }))
        .unwrap()
    }

    #[test]
    fn each_version_has_its_keys_and_ids() {
        let stores = Stores::empty();
        let at = |v| full(&stores, &host(), Microversion(v), Timestamp::UNIX_EPOCH);
        assert_eq!((&at(1)["id"], &at(1)["cpu_info"], &at(28)["cpu_info"]), (&json!(7), &json!("{}"), &json!({})));
        assert_eq!((&at(53)["id"], &at(1)["memory_mb"]), (&json!(uuid::Uuid::from_u128(7)), &json!(2048)));
        assert_eq!((at(1).get("uptime"), at(88).get("vcpus"), at(88).get("uptime")), (None, None, Some(&Value::Null)));
        assert_eq!((&at(1)["hypervisor_version"], &at(1)["host_ip"]), (&json!(7_002_011), &json!("fe80::1")));
    }
}
