//! `/v3/users`: oneself, or anybody with a Secret for an administrator; and one's own password.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::view;
use crate::{
    authenticate::{Caller, ticket::Origin},
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

/// `GET /v3/users`.
pub async fn list(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let app = &inbound.app;
    if !app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to list users."));
    }
    let wanted = inbound.query.get("name");
    let ours = inbound.query.get("domain_id").is_none_or(|d| d == super::DOMAIN_ID);
    let enabled = inbound.query.flag("enabled")?.unwrap_or(true);
    let found = app.authenticator.users().all().into_iter();
    let found = found.filter(|u| ours && enabled && wanted.is_none_or(|w| w == u.name));
    let items = found.map(|u| view::user(&inbound, &u.user(), u.default_project.as_deref())).collect();
    Ok(Reply::ok(&view::list(&inbound, "users", items)))
}

/// `GET /v3/users/{id}/groups`: the groups of Kubernetes are none of Keystone's.
pub async fn groups(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    if inbound.param("id") != caller.user.id() && !inbound.app.authorizer.may(&caller.user, None, common::ADMIN).await?
    {
        return Err(Fault::forbidden("You are not authorized to see another user."));
    }
    Ok(Reply::ok(&view::list(&inbound, "groups", Vec::new())))
}

/// Longest password, in bytes.
const LONGEST: usize = 4096;

#[derive(Deserialize)]
struct Change {
    original_password: String,
    password: String,
}

/// `POST /v3/users/{id}/password`: 204. All tokens of the user are good no more, application credentials are.
pub async fn set_password(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let body = inbound.json_under("user").await?;
    let authenticator = &inbound.app.authenticator;
    if inbound.param("id") != caller.user.id() {
        return Err(Fault::forbidden("You are not authorized to change the password of another user."));
    }
    if !matches!(caller.ticket.origin, Origin::Secret { .. }) {
        return Err(Fault::forbidden("Only who came by a password changes it."));
    }
    // serde's error would repeat what was sent.
    let change = Change::deserialize(Value::Object(body)).ok();
    let change = change.filter(|c| !c.password.is_empty() && c.password.len() <= LONGEST).ok_or_else(|| {
        Fault::bad_request(format!("user needs original_password, and a password of 1 to {LONGEST} bytes."))
    })?;
    // Guessing by this door is slowed down as by the other.
    authenticator.by_password(&caller.user.name, change.original_password, inbound.peer).await?;
    let user = authenticator.users().find(&caller.user.name).ok_or_else(Fault::unauthorized)?;
    authenticator.set_password(&user, change.password).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
