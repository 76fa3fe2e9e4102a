//! `GET /v3/projects/{id}`.

use serde_json::json;

use super::missing;
use crate::{
    authenticate::Caller,
    authorize::roles,
    fault::Fault,
    http::{Inbound, Reply},
    keystone::view,
    store::projects::{self, Project},
};

/// A project that the caller has a role in.
pub async fn show(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let namespace = projects::get(&inbound.app.stores, id).ok_or_else(|| missing(id))?;
    visible(&inbound, &caller, id).await?;
    Ok(Reply::ok(&json!({"project": view::project(&inbound, &Project::of(&namespace))})))
}

/// 404 for whoever has no role in it.
pub(super) async fn visible(inbound: &Inbound, caller: &Caller, id: &str) -> Result<(), Fault> {
    let roles = roles::roles(&inbound.app.authorizer, &caller.user, id).await?;
    if roles.is_empty() { Err(missing(id)) } else { Ok(()) }
}
