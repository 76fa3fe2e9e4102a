//! `GET /v2.0/security-groups`: the project's only group.

use serde_json::{Value, json};

use super::select;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::security_groups::default_id,
    observe::clean,
};

fn document(project: &str) -> Value {
    json!({
        "id": default_id(project), "name": "default", "description": "All traffic passes; this version filters none.",
        "project_id": project, "tenant_id": project, "security_group_rules": [], "stateful": true, "shared": false,
        "tags": [], "revision_number": 1,
    })
}

/// The groups.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let items = vec![document(permit.project())];
    Ok(Reply::ok(&select::list(&inbound.query, "security_groups", items)?))
}

/// A group.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (id, group) = (inbound.param("id"), document(permit.project()));
    if group["id"] == id {
        return Ok(Reply::ok(&json!({"security_group": select::fields(group, &inbound.query)})));
    }
    let message = format!("Security group {} does not exist", clean(id));
    Err(Fault::not_found(message).kind("SecurityGroupNotFound"))
}
