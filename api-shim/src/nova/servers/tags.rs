//! `GET /servers/{id}/tags` (from 2.26; Terraform asks at each refresh).

use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::servers,
};

/// The tags.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let server = servers::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"tags": server.spec.tags})))
}
