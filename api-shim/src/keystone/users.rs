//! `GET /v3/users/{id}`: oneself, or anybody with a Secret for an administrator.

use serde_json::json;

use super::view;
use crate::{
    authenticate::Caller,
    authorize::rule::common,
    fault::Fault,
    http::{Inbound, Reply},
};

/// A user.
pub async fn show(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let app = &inbound.app;
    let user = if id == caller.user.id() {
        caller.user
    } else if app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        let found = app.authenticator.users().find_by_id(id).map(|u| u.user());
        found.ok_or_else(|| Fault::not_found(format!("Could not find user: {}.", crate::observe::clean(id))))?
    } else {
        return Err(Fault::forbidden("You are not authorized to see another user."));
    };
    let default = app.authenticator.default_project(&user);
    Ok(Reply::ok(&json!({"user": view::user(&inbound, &user, default.as_deref())})))
}
