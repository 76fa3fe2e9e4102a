//! `PATCH /v3/users/{id}`.

use serde_json::json;

use super::{missing, wire::Wish};
use crate::{
    authenticate::{
        Caller,
        users::{login, write::Change},
    },
    authorize::rule::identity,
    fault::Fault,
    http::{Inbound, Reply},
    keystone::{administration, view},
};

/// Changes a user. The name stays: roles are given to it.
pub async fn update(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let app = inbound.app.clone();
    administration::served(&app)?;
    let warrant = app.authorizer.warrant(&caller, identity::CHANGE_USER, None, None).await?;
    let body = inbound.json_under("user").await?;
    let id = inbound.param("id");
    let authenticator = &app.authenticator;
    let user = authenticator.users().find_by_id(id).ok_or_else(|| missing(id))?;
    let wish = Wish::read(body)?;
    if wish.name.as_ref().is_some_and(|n| n != login(&user.name)) {
        return Err(Fault::not_served("Another name for a user"));
    }
    let beyond = wish.enabled.is_some() || wish.default_project.is_some() || !wish.attributes.is_empty();
    if beyond && !user.made_here {
        return Err(Fault::forbidden("This user was not made here: only the password can be changed."));
    }
    let password_hash = match wish.password {
        Some(password) => Some(authenticator.hash(password).await?),
        None => None,
    };
    let (default_project, attributes) = (wish.default_project, wish.attributes);
    let change = Change { password_hash, enabled: wish.enabled, default_project, attributes };
    let user = authenticator.write_users().change(&warrant, &user, &change).await?;
    Ok(Reply::ok(&json!({"user": view::user_secret(&inbound, &user)})))
}
