//! `GET /servers/{id}/migrations` (from 2.23): live migrations under way. This version makes none.

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
    Ok(Reply::ok(&json!({"migrations": []})))
}

/// That one is not there.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    find(&inbound, &permit).await?;
    let migration = crate::observe::clean(inbound.param("migration"));
    let id = inbound.param("id");
    Err(Fault::not_found(format!("In-progress live migration {migration} is not found for server {id}.")))
}
