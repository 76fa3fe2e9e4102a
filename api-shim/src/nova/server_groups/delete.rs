//! `DELETE /os-server-groups/{id}`. Servers that were placed by it stay where they are.

use http::StatusCode;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::server_groups,
};

/// Deletes a group.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let group = server_groups::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    server_groups::delete(&app.client, &app.stores, &permit, &group).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
