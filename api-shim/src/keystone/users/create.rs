//! `POST /v3/users`: a Secret.

use http::StatusCode;
use serde_json::json;

use super::wire::Wish;
use crate::{
    authenticate::{Caller, users::write::Change},
    authorize::rule::identity,
    fault::Fault,
    http::{Inbound, Reply},
    keystone::{administration, view},
};

/// 201 with the user; 409 if there is one of this name.
pub async fn create(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let app = inbound.app.clone();
    administration::served(&app)?;
    let warrant = app.authorizer.warrant(&caller, identity::MAKE_USER, None, None).await?;
    let body = inbound.json_under("user").await?;
    let wish = Wish::read(body)?;
    let name = wish.name.ok_or_else(|| Fault::bad_request("'name' is a required property"))?;
    let password = wish.password.ok_or_else(|| Fault::not_served("A user without a password"))?;
    let authenticator = &app.authenticator;
    if authenticator.users().find_by_login(&name).is_some() {
        return Err(Fault::conflict("Conflict occurred attempting to store user - Duplicate entry found."));
    }
    let change = Change {
        password_hash: Some(authenticator.hash(password).await?),
        enabled: wish.enabled,
        default_project: wish.default_project,
        attributes: wish.attributes,
    };
    let made = authenticator.write_users().create(&warrant, &name, change).await?;
    Ok(Reply::json(StatusCode::CREATED, &json!({"user": view::user_secret(&inbound, &made)})))
}
