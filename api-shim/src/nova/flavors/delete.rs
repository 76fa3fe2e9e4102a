//! `DELETE /flavors/{id}`.

use http::StatusCode;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::flavors,
};

/// Removes a flavor. Servers that have it keep their size: it is in their status.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    flavors::delete(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}
