//! `DELETE /servers/{id}` (spec C-08).

use http::StatusCode;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::servers,
};

/// Asks for the removal; the server is shown as being deleted until its guest is gone.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let server = servers::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    if server.metadata.deletion_timestamp.is_none() {
        servers::delete(&app.client, &app.stores, &permit, &server).await?;
    }
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
