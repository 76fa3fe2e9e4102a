//! `GET /os-server-groups/{id}`.

use serde_json::json;

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::server_groups,
};

/// A group.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let group = server_groups::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"server_group": view::full(&group, &app.stores, inbound.version)})))
}
