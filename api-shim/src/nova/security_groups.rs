//! Security groups: this version filters no traffic, so each project has one group, `default`, that lets all through.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::servers,
};

/// Id of a project's only group.
pub fn default_id(project: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("ostler:security-group:{project}").as_bytes()).to_string()
}

fn group(project: &str) -> Value {
    json!({
        "id": default_id(project), "name": "default", "tenant_id": project, "rules": [],
        "description": "All traffic passes; this version filters none.",
    })
}

/// `GET /os-security-groups` (below 2.36).
pub async fn list(_inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"security_groups": [group(permit.project())]})))
}

/// `GET /os-security-groups/{id}` (below 2.36).
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    if inbound.param("id") == default_id(permit.project()) {
        return Ok(Reply::ok(&json!({"security_group": group(permit.project())})));
    }
    Err(Fault::not_found("Security group not found."))
}

/// `GET /servers/{id}/os-security-groups`.
pub async fn of_server(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    servers::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"security_groups": [group(permit.project())]})))
}
