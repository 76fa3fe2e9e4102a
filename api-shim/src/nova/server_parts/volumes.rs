//! `GET /servers/{id}/os-volume_attachments`. This version has no volumes, so no server has one.

use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::actions::run::find,
};

/// None.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    find(&inbound, &permit).await?;
    Ok(Reply::ok(&json!({"volumeAttachments": []})))
}

/// That one is not there.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    find(&inbound, &permit).await?;
    let volume = crate::observe::clean(inbound.param("volume"));
    Err(Fault::not_found(format!("Instance {} is not attached to volume {volume}.", inbound.param("id"))))
}
