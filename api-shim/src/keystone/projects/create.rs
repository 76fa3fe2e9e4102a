//! `POST /v3/projects`: a namespace.

use http::StatusCode;
use serde_json::json;

use super::wire::Wish;
use crate::{
    authenticate::Caller,
    authorize::rule::identity,
    fault::Fault,
    http::{Inbound, Reply},
    keystone::{administration, view},
    store::projects::{self, Project},
};

/// 201 with the project; 409 if there is one of this name.
pub async fn create(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let app = inbound.app.clone();
    administration::served(&app)?;
    let warrant = app.authorizer.warrant(&caller, identity::MAKE_PROJECT, None, None).await?;
    let body = inbound.json_under("project").await?;
    let mut project =
        Project { id: String::new(), name: String::new(), description: String::new(), enabled: true, tags: Vec::new() };
    Wish::read(&body)?.named()?.onto(&mut project);
    if projects::find(&app.stores, &project.name).is_some() {
        return Err(Fault::conflict(
            "Conflict occurred attempting to store project - it is not permitted to have two of one name.",
        ));
    }
    let made = projects::create(&app.client, &app.stores, &warrant, project).await?;
    Ok(Reply::json(StatusCode::CREATED, &json!({"project": view::project(&inbound, &made)})))
}
