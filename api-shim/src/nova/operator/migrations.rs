//! Live migrations, of which this version makes none.

use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::servers,
};

/// `GET /servers/{id}/migrations`: those under way.
pub async fn of_server(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    servers::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"migrations": []})))
}

/// One of them.
pub async fn one_of_server(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    servers::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Err(Fault::not_found("The server has no such live migration."))
}
