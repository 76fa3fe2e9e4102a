//! `/v3/regions`, `/v3/services` and `/v3/endpoints`: what the catalog says, in their forms. To be read only.

use serde_json::{Value, json};

use super::view;
use crate::{
    authenticate::Caller,
    fault::Fault,
    http::{Inbound, Reply, Service},
    observe::clean,
};

fn link(inbound: &Inbound, kind: &str, id: &str) -> Value {
    json!({"self": format!("{}/v3/{kind}/{id}", inbound.base.service(Service::Identity))})
}

fn all_regions(inbound: &Inbound) -> Vec<Value> {
    let id = inbound.app.settings.region.as_str();
    vec![json!({"id": id, "description": "", "parent_region_id": null, "links": link(inbound, "regions", id)})]
}

fn entries(inbound: &Inbound) -> Vec<Value> {
    match view::catalog(inbound) {
        Value::Array(entries) => entries,
        _ => Vec::new(),
    }
}

fn all_services(inbound: &Inbound) -> Vec<Value> {
    let service = |entry: &Value| {
        let id = entry["id"].as_str().unwrap_or_default();
        json!({
            "id": id, "type": entry["type"], "name": entry["name"], "enabled": true, "description": "",
            "links": link(inbound, "services", id),
        })
    };
    entries(inbound).iter().map(service).collect()
}

fn all_endpoints(inbound: &Inbound) -> Vec<Value> {
    let of_entry = |entry: &Value| {
        let endpoint = |endpoint: &Value| {
            let id = endpoint["id"].as_str().unwrap_or_default();
            let mut document = endpoint.clone();
            document["service_id"] = entry["id"].clone();
            document["enabled"] = true.into();
            document["links"] = link(inbound, "endpoints", id);
            document
        };
        entry["endpoints"].as_array().into_iter().flatten().map(endpoint).collect::<Vec<_>>()
    };
    entries(inbound).iter().flat_map(of_entry).collect()
}

/// Those that have what the query asks for under these keys.
fn matching(inbound: &Inbound, keys: &[&str], mut items: Vec<Value>) -> Vec<Value> {
    for key in keys {
        if let Some(wanted) = inbound.query.get(key) {
            items.retain(|i| i[*key] == wanted);
        }
    }
    items
}

fn one(inbound: &Inbound, kind: &str, items: Vec<Value>) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let found = items.into_iter().find(|i| i["id"] == id);
    let found = found.ok_or_else(|| Fault::not_found(format!("Could not find {kind}: {}.", clean(id))))?;
    Ok(Reply::ok(&json!({ kind: found })))
}

/// `GET /v3/regions`.
pub async fn regions(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    let items = matching(&inbound, &["parent_region_id"], all_regions(&inbound));
    Ok(Reply::ok(&view::list(&inbound, "regions", items)))
}

/// `GET /v3/regions/{id}`.
pub async fn region(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    one(&inbound, "region", all_regions(&inbound))
}

/// `GET /v3/services`.
pub async fn services(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    let items = matching(&inbound, &["type", "name"], all_services(&inbound));
    Ok(Reply::ok(&view::list(&inbound, "services", items)))
}

/// `GET /v3/services/{id}`.
pub async fn service(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    one(&inbound, "service", all_services(&inbound))
}

/// `GET /v3/endpoints`.
pub async fn endpoints(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    let items = matching(&inbound, &["interface", "service_id", "region_id"], all_endpoints(&inbound));
    Ok(Reply::ok(&view::list(&inbound, "endpoints", items)))
}

/// `GET /v3/endpoints/{id}`.
pub async fn endpoint(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    one(&inbound, "endpoint", all_endpoints(&inbound))
}
