//! `/os-hosts` (below 2.43): hosts by name, of old.

use std::sync::Arc;

use kube::ResourceExt;
use ostler_crds::{Host, host::Resources};
use serde_json::{Value, json};

use super::host;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::hosts,
};

/// The hosts, by zone.
pub async fn list(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let zone = inbound.query.get("zone").filter(|z| !z.is_empty());
    let mut found = host::all(&inbound.app.stores);
    found.retain(|h| zone.is_none_or(|z| h.availability_zone() == z));
    let one = |h: &Arc<Host>| json!({"host_name": h.name_any(), "service": "compute", "zone": h.availability_zone()});
    Ok(Reply::ok(&json!({"hosts": found.iter().map(one).collect::<Vec<Value>>()})))
}

fn find(inbound: &Inbound) -> Result<Arc<Host>, Fault> {
    let name = inbound.param("name");
    let found = inbound.app.stores.hosts.get(None, name);
    found.ok_or_else(|| Fault::not_found(format!("Compute host {} could not be found.", clean(name))))
}

/// What a host has, and what each project uses of it.
pub async fn show(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let host = find(&inbound)?;
    let servers = host::servers(&inbound.app.stores, &host);
    let row = |project: &str, amount: Resources| {
        json!({"resource": {
            "host": host.name_any(), "project": project, "cpu": amount.vcpus, "memory_mb": amount.memory_mib,
            "disk_gb": amount.disk_gib,
        }})
    };
    let used = host::used(&servers);
    let mut rows = vec![row("(total)", host::capacity(&host)), row("(used_now)", used), row("(used_max)", used)];
    let mut projects: Vec<String> = servers.iter().filter_map(|s| s.namespace()).collect();
    projects.sort();
    projects.dedup();
    for project in projects {
        let own: Vec<_> = servers.iter().filter(|s| s.namespace().as_deref() == Some(&project)).cloned().collect();
        rows.push(row(&project, host::used(&own)));
    }
    Ok(Reply::ok(&json!({ "host": rows })))
}

/// Enables or disables a host.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json().await?;
    let wished = match body.as_object() {
        Some(map) if map.keys().all(|k| k == "status" || k == "maintenance_mode") && !map.is_empty() => map.clone(),
        _ => {
            return Err(Fault::bad_request(
                "The body may have 'status' and 'maintenance_mode', and must have one of them.",
            ));
        }
    };
    let word = |key: &str| wished.get(key).map(|v| v.as_str().unwrap_or_default().trim().to_ascii_lowercase());
    let switch = |key: &str| match word(key).as_deref() {
        None => Ok(None),
        Some("enable") => Ok(Some(true)),
        Some("disable") => Ok(Some(false)),
        Some(_) => Err(Fault::invalid_field(key, "It must be enable or disable.")),
    };
    let (status, maintenance) = (switch("status")?, switch("maintenance_mode")?);
    let known = find(&inbound)?;
    if maintenance.is_some() {
        return Err(Fault::not_served("The maintenance mode of hosts"));
    }
    let app = &inbound.app;
    let host = hosts::change(&app.client, &app.stores, &permit, known, |host| {
        host.spec.schedulable = status.unwrap_or(host.spec.schedulable);
        Ok(())
    });
    let host = host.await?;
    Ok(Reply::ok(&json!({"host": host.name_any(), "status": host::status(&host)})))
}

/// Turning machines on and off is nothing that this version does.
pub async fn power(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    find(&inbound)?;
    Err(Fault::not_served("Starting, stopping and rebooting hosts"))
}
