//! `/os-simple-tenant-usage`: what projects use. Of what was deleted nothing is kept, so it is not counted.

use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt;
use ostler_crds::{Server, server::state};
use serde_json::{Value, json};

use super::period::Period;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply, page::Page},
    nova::servers::{facts, view},
    shape::{links, time},
    store::Stores,
};

/// First version with pages.
const PAGED: Microversion = Microversion(40);
/// Largest page.
const MAX_PAGE: usize = 1000;

fn of_server(stores: &Stores, server: &Server, period: &Period, now: Timestamp) -> Option<Value> {
    let began = server.metadata.creation_timestamp.as_ref()?.0;
    if began > period.end {
        return None;
    }
    let flavor = facts::flavor(stores, server)?;
    Some(json!({
        "instance_id": view::id(server), "name": server.display_name(), "tenant_id": server.namespace(),
        "flavor": flavor.display_name, "vcpus": flavor.vcpus, "memory_mb": flavor.memory_mib, "local_gb": flavor.disk_gib,
        "started_at": time::micros_bare(began), "ended_at": null, "hours": period.hours_since(began, now),
        "uptime": now.as_second().saturating_sub(began.as_second()).max(0), "state": state::shown(server).vm_state,
    }))
}

/// The usage of servers of one project, `Null` if there are none.
fn of_project(stores: &Stores, servers: &[Arc<Server>], period: &Period, detailed: bool, now: Timestamp) -> Value {
    let entries: Vec<Value> = servers.iter().filter_map(|s| of_server(stores, s, period, now)).collect();
    let Some(project) = entries.first().map(|e| e["tenant_id"].clone()) else { return Value::Null };
    let hours = |e: &Value| e["hours"].as_f64().unwrap_or_default();
    let sum = |key: &str| entries.iter().map(|e| e[key].as_f64().unwrap_or_default() * hours(e)).sum::<f64>();
    let mut document = json!({
        "tenant_id": project, "start": time::micros_bare(period.start), "stop": time::micros_bare(period.end),
        "total_hours": entries.iter().map(hours).sum::<f64>(), "total_vcpus_usage": sum("vcpus"),
        "total_memory_mb_usage": sum("memory_mb"), "total_local_gb_usage": sum("local_gb"),
    });
    if detailed {
        document["server_usages"] = entries.into();
    }
    document
}

fn known_keys(inbound: &Inbound) -> Result<(), Fault> {
    inbound.query.strict(&["start", "end", "detailed", "limit", "marker"], inbound.version)
}

/// A page of servers in a fixed order, and the id that the next one begins after.
fn page(inbound: &Inbound, mut servers: Vec<Arc<Server>>) -> Result<(Vec<Arc<Server>>, Option<String>), Fault> {
    servers.sort_by_key(|s| (s.namespace(), view::id(s)));
    if inbound.version < PAGED {
        return Ok((servers, None));
    }
    let (cut, more) = Page::of(&inbound.query, MAX_PAGE, MAX_PAGE)?.cut(servers, |s| view::id(s))?;
    let next = cut.last().filter(|_| more).map(|s| view::id(s));
    Ok((cut, next))
}

/// All projects.
pub async fn list(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    known_keys(&inbound)?;
    let now = Timestamp::now();
    let (stores, period) = (&inbound.app.stores, Period::of(&inbound.query, now)?);
    let detailed = inbound.query.get("detailed") == Some("1");
    let (servers, next) = page(&inbound, stores.servers.all())?;
    let projects = servers.chunk_by(|a, b| a.namespace() == b.namespace());
    let usages: Vec<Value> =
        projects.map(|p| of_project(stores, p, &period, detailed, now)).filter(|u| !u.is_null()).collect();
    let mut document = json!({ "tenant_usages": usages });
    if let Some(next) = next {
        document["tenant_usages_links"] = links::next(&inbound, &next);
    }
    Ok(Reply::ok(&document))
}

/// One project: the caller's own, or any for those who may ask in the whole cluster.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    known_keys(&inbound)?;
    let (id, rule) = (inbound.param("project"), permit.rule().everywhere());
    if id != permit.project() && !inbound.app.authorizer.may_also(&permit, rule).await? {
        return Err(Fault::forbidden(format!(
            "Policy does not allow usage of other projects: it needs permission to {rule} in the whole cluster."
        )));
    }
    let now = Timestamp::now();
    let (stores, period) = (&inbound.app.stores, Period::of(&inbound.query, now)?);
    let (servers, next) = page(&inbound, stores.servers.in_namespace(id))?;
    let usage = of_project(stores, &servers, &period, true, now);
    let mut document = json!({"tenant_usage": if usage.is_null() { json!({}) } else { usage }});
    if let Some(next) = next {
        document["tenant_usage_links"] = links::next(&inbound, &next);
    }
    Ok(Reply::ok(&document))
}
