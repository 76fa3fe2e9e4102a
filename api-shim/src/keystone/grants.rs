//! `/v3/projects/{id}/users/{user}/roles`: roles are given by bindings of Kubernetes, and read off what it allows.

use std::time::{Duration, Instant};

use http::StatusCode;
use k8s_openapi::api::core::v1::Namespace;
use serde_json::Value;

use super::{administration, roles, view};
use crate::{
    authenticate::{Caller, User},
    authorize::{
        roles::{Role, roles as held},
        rule::{common, identity},
    },
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::{
        grants::{Grant, LOOK_EVERY},
        projects,
    },
};

/// How long a change may take until Kubernetes acts on it.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the path names.
struct Named {
    project: std::sync::Arc<Namespace>,
    user: User,
}

fn named(inbound: &Inbound) -> Result<Named, Fault> {
    let (project, user) = (inbound.param("id"), inbound.param("user"));
    let missing = |what: &str, id: &str| Fault::not_found(format!("Could not find {what}: {}.", clean(id)));
    Ok(Named {
        project: projects::get(&inbound.app.stores, project).ok_or_else(|| missing("project", project))?,
        user: inbound.app.authenticator.users().find_by_id(user).ok_or_else(|| missing("user", user))?.user(),
    })
}

fn role(inbound: &Inbound) -> Result<Role, Fault> {
    let id = inbound.param("role");
    Role::named(id).ok_or_else(|| Fault::not_found(format!("Could not find role: {}.", clean(id))))
}

/// `PUT`: 204.
pub async fn give(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let cluster_roles = administration::served(app)?;
    let role = role(&inbound)?;
    let mut proofs = Vec::new();
    for (cluster_role, wide) in cluster_roles.of(role) {
        let (rule, namespace) = if wide { (identity::GRANT_WIDE, None) } else { (identity::GRANT, Some(id)) };
        let may = app.authorizer.warrant(&caller, rule, namespace, None).await?;
        let bind = app.authorizer.warrant(&caller, identity::BIND, None, Some(cluster_role)).await?;
        proofs.push((cluster_role, wide, may, bind));
    }
    let Named { project, user } = named(&inbound)?;
    for (cluster_role, wide, may, bind) in &proofs {
        let grant = Grant { user: &user, project: &project, role: role.name(), cluster_role, wide: *wide };
        grant.give(&app.client, may, bind).await?;
    }
    in_force(&inbound, &user, role, true).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `DELETE`: 204; 404 if it was not given here.
pub async fn take(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let cluster_roles = administration::served(app)?;
    let role = role(&inbound)?;
    let mut proofs = Vec::new();
    for (cluster_role, wide) in cluster_roles.of(role) {
        let (rule, namespace) = if wide { (identity::REVOKE_WIDE, None) } else { (identity::REVOKE, Some(id)) };
        proofs.push((cluster_role, wide, app.authorizer.warrant(&caller, rule, namespace, None).await?));
    }
    let Named { project, user } = named(&inbound)?;
    let mut taken = false;
    for (cluster_role, wide, may) in &proofs {
        let grant = Grant { user: &user, project: &project, role: role.name(), cluster_role, wide: *wide };
        taken |= grant.take(&app.client, may).await?;
    }
    if !taken {
        return Err(Fault::not_found(format!(
            "Role {} was not given to this user here. What bindings of other make give is taken with kubectl.",
            role.name()
        )));
    }
    in_force(&inbound, &user, role, false).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `GET` of the list: what the user may do, whoever gave it.
pub async fn list(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let found = seen(&inbound, &caller).await?;
    let items: Vec<Value> = found.into_iter().map(|r| roles::role(&inbound, r)).collect();
    Ok(Reply::ok(&view::list(&inbound, "roles", items)))
}

/// `GET` and `HEAD` of one: 204 or 404.
pub async fn check(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let held = seen(&inbound, &caller).await?;
    let wanted = role(&inbound)?;
    if held.contains(&wanted) {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    Err(Fault::not_found(format!("Could not find role assignment with role: {}.", wanted.name())))
}

async fn seen(inbound: &Inbound, caller: &Caller) -> Result<Vec<Role>, Fault> {
    let authorizer = &inbound.app.authorizer;
    if inbound.param("user") != caller.user.id() && !authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to see the roles of others."));
    }
    let Named { user, .. } = named(inbound)?;
    held(authorizer, &user, inbound.param("id")).await
}

/// Waits until Kubernetes acts on a change. What else gives the role may hold it for longer.
async fn in_force(inbound: &Inbound, user: &User, role: Role, wanted: bool) -> Result<(), Fault> {
    let (authorizer, end) = (&inbound.app.authorizer, Instant::now() + PATIENCE);
    loop {
        authorizer.forget(user);
        let holds = held(authorizer, user, inbound.param("id")).await?.contains(&role);
        if holds == wanted || Instant::now() > end {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
