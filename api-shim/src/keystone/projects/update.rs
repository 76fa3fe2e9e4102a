//! `PATCH /v3/projects/{id}`.

use serde_json::json;

use super::{missing, wire::Wish};
use crate::{
    authenticate::Caller,
    authorize::rule::identity,
    fault::Fault,
    http::{Inbound, Reply},
    keystone::{administration, view},
    store::projects,
};

/// Changes name, description, tags, or whether tokens are good for it. Its id stays.
pub async fn update(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let app = inbound.app.clone();
    administration::served(&app)?;
    let warrant = app.authorizer.warrant(&caller, identity::CHANGE_PROJECT, None, Some(inbound.param("id"))).await?;
    let body = inbound.json_under("project").await?;
    let id = inbound.param("id");
    let known = projects::get(&app.stores, id).ok_or_else(|| missing(id))?;
    let wish = Wish::read(&body)?;
    if wish.name.as_ref().is_some_and(|n| projects::find(&app.stores, n).is_some_and(|p| p.id != id)) {
        return Err(Fault::conflict("There is a project of this name."));
    }
    let project = projects::change(&app.client, &app.stores, &warrant, known, |p| wish.clone().onto(p)).await?;
    Ok(Reply::ok(&json!({"project": view::project(&inbound, &project)})))
}
