//! `/v3/users`: oneself, or anybody with a Secret for an administrator; and one's own password.

pub mod create;
pub mod delete;
pub mod update;
mod wire;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use self::wire::LONGEST_PASSWORD;
use super::view;
use crate::{
    authenticate::{
        Caller,
        ticket::Origin,
        users::{UserSecret, login},
    },
    authorize::rule::common,
    fault::Fault,
    http::{Inbound, Reply},
};

/// 404 that names a user.
fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Could not find user: {}.", crate::observe::clean(id)))
}

/// A user.
pub async fn show(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let own = id == caller.user.id();
    if !own && !app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to see another user."));
    }
    let document = match app.authenticator.users().find_by_id(id) {
        Some(secret) => view::user_secret(&inbound, &secret),
        // Whoever came by a token of Kubernetes.
        None if own => view::user(&inbound, &caller.user),
        None => return Err(missing(id)),
    };
    Ok(Reply::ok(&json!({"user": document})))
}

/// `GET /v3/users`.
pub async fn list(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let app = &inbound.app;
    if !app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to list users."));
    }
    let wanted = inbound.query.get("name");
    let ours = inbound.query.get("domain_id").is_none_or(|d| d == super::DOMAIN_ID);
    let enabled = inbound.query.flag("enabled")?;
    let fits =
        |u: &UserSecret| ours && enabled.is_none_or(|e| e == u.enabled) && wanted.is_none_or(|w| w == login(&u.name));
    let found = app.authenticator.users().all();
    let items = found.iter().filter(|u| fits(u)).map(|u| view::user_secret(&inbound, u)).collect();
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
    let change =
        change.filter(|c| !c.password.is_empty() && c.password.len() <= LONGEST_PASSWORD).ok_or_else(|| {
            Fault::bad_request(format!(
                "user needs original_password, and a password of 1 to {LONGEST_PASSWORD} bytes."
            ))
        })?;
    // Guessing by this door is slowed down as by the other.
    authenticator.by_password(&caller.user.name, change.original_password, inbound.peer).await?;
    let user = authenticator.users().find(&caller.user.name).ok_or_else(Fault::unauthorized)?;
    authenticator.set_password(&user, change.password).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
