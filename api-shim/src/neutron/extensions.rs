//! `GET /v2.0/extensions`: what clients look for before they ask.

use serde_json::{Value, json};

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

const EXTENSIONS: &[(&str, &str)] = &[
    ("security-group", "security-group"),
    ("quotas", "Quota management support"),
    ("net-mtu", "Network MTU"),
    ("external-net", "Neutron external network"),
    ("project-id", "project_id field enabled"),
];

fn document((alias, name): &(&str, &str)) -> Value {
    json!({"alias": alias, "name": name, "description": name, "updated": "2020-01-01T00:00:00-00:00", "links": []})
}

/// The extensions.
pub async fn list(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let items: Vec<Value> = EXTENSIONS.iter().map(document).collect();
    Ok(Reply::ok(&json!({ "extensions": items })))
}

/// An extension.
pub async fn show(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let found = EXTENSIONS.iter().find(|(alias, _)| *alias == inbound.param("alias"));
    let found = found.ok_or_else(|| Fault::not_found("Extension not found.").kind("ExtensionNotFound"))?;
    Ok(Reply::ok(&json!({"extension": document(found)})))
}
