//! `DELETE /v3/projects/{id}`.

use http::StatusCode;

use super::missing;
use crate::{
    authenticate::Caller,
    authorize::rule::identity,
    fault::Fault,
    http::{Inbound, Reply},
    keystone::administration,
    store::projects,
};

/// 204; 409 while it has servers or images, because they would go with its namespace.
pub async fn delete(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    administration::served(app)?;
    let warrant = app.authorizer.warrant(&caller, identity::DELETE_PROJECT, None, Some(id)).await?;
    let known = projects::get(&app.stores, id).ok_or_else(|| missing(id))?;
    projects::delete(&app.client, &app.stores, &warrant, known).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
