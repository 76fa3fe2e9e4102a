//! `POST /flavors`.

use serde_json::json;

use super::{view, wire};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::flavors,
};

/// Makes a flavor.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let flavor = wire::read(inbound.json_under("flavor").await?, inbound.version)?;
    let flavor = flavors::create(&inbound.app.client, &inbound.app.stores, &permit, flavor).await?;
    Ok(Reply::ok(&json!({"flavor": view::full(&flavor, &inbound.base, inbound.version)})))
}
