//! A Host in numbers and words, from what is in memory.

use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt;
use ostler_crds::{ConditionStatus, Host, Server, find_condition, host::Resources, names::condition};
use uuid::Uuid;

use crate::store::Stores;

/// Whether the node role says that libvirt answers, and no administrator says that the machine is down.
pub fn is_up(host: &Host) -> bool {
    let conditions = host.status.as_ref().map(|s| s.conditions.as_slice()).unwrap_or_default();
    let ready = find_condition(conditions, condition::READY);
    ready.is_some_and(|c| c.status == ConditionStatus::True.as_str()) && !host.spec.fenced
}

/// `up` or `down`.
pub fn state(host: &Host) -> &'static str {
    if is_up(host) { "up" } else { "down" }
}

/// `enabled` or `disabled`.
pub fn status(host: &Host) -> &'static str {
    if host.spec.schedulable { "enabled" } else { "disabled" }
}

/// The UUID of the hypervisor.
pub fn uuid(host: &Host) -> Uuid {
    host.metadata.uid.as_deref().and_then(|u| Uuid::parse_str(u).ok()).unwrap_or_default()
}

/// The UUID of the compute service that runs it.
pub fn service_uuid(host: &Host) -> Uuid {
    Uuid::new_v5(&uuid(host), b"nova-compute")
}

/// Nova's number of a row in its database, where clients below 2.53 want one: 31 bits of the UUID.
pub fn number(id: Uuid) -> u32 {
    (id.as_u128() as u32) & 0x7fff_ffff
}

/// All Hosts by name.
pub fn all(stores: &Stores) -> Vec<Arc<Host>> {
    let mut hosts = stores.hosts.all();
    hosts.sort_by_key(|h| h.name_any());
    hosts
}

/// The Servers that are bound to a Host.
pub fn servers(stores: &Stores, host: &Host) -> Vec<Arc<Server>> {
    let name = host.name_any();
    let mut servers = stores.servers.all();
    servers.retain(|s| s.status.as_ref().is_some_and(|s| s.host.as_deref() == Some(name.as_str())));
    servers
}

/// What the machine has.
pub fn capacity(host: &Host) -> Resources {
    host.status.as_ref().and_then(|s| s.capacity).unwrap_or_default()
}

/// What its Servers hold of it.
pub fn used(servers: &[Arc<Server>]) -> Resources {
    servers.iter().filter_map(|s| s.status.as_ref()).map(ostler_crds::ServerStatus::footprint).fold(
        Resources::default(),
        |sum, one| Resources {
            vcpus: sum.vcpus + one.vcpus,
            memory_mib: sum.memory_mib + one.memory_mib,
            disk_gib: sum.disk_gib + one.disk_gib,
        },
    )
}

/// How long the machine has run, in the words of uptime(1) as far as they are known.
pub fn uptime(host: &Host, now: Timestamp) -> Option<String> {
    let booted = host.status.as_ref()?.booted_at.as_ref()?.0;
    let seconds = now.as_second().saturating_sub(booted.as_second()).max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    Some(format!(" {} up {days} days, {hours:2}:{minutes:02}", now.strftime("%H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_host_is_up_while_it_is_ready_and_nobody_says_otherwise() {
        let host = |ready: &str, forced: bool| -> Host {
            serde_json::from_value(json!({
                "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Host", "metadata": {"name": "h"},
                "spec": {"fenced": forced},
                "status": {"bootedAt": "2026-01-01T00:00:00Z", "conditions": [
                    {"type": "Ready", "status": ready, "reason": "X", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"},
                ]},
            }))
            .unwrap()
        };
        assert_eq!(
            [state(&host("True", false)), state(&host("False", false)), state(&host("True", true))],
            ["up", "down", "down"]
        );
        let now = "2026-01-03T05:06:07Z".parse().unwrap();
        assert_eq!(uptime(&host("True", false), now).as_deref(), Some(" 05:06:07 up 2 days,  5:06"));
    }
}
