//! `/v3/roles` and `/v3/role_assignments`, read off RBAC. They are given and taken in [`super::grants`].

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{projects, view};
use crate::{
    authenticate::{Caller, User, users::login},
    authorize::{
        roles::{self, Role},
        rule::common,
    },
    fault::Fault,
    http::{Inbound, Reply, Service},
    observe::clean,
};

/// Most pairs of a user and a project that one list looks at.
const PAIRS: usize = 1000;
/// Pairs that are looked at beside each other.
const AT_ONCE: usize = 8;

/// A role.
pub fn role(inbound: &Inbound, role: Role) -> Value {
    let name = role.name();
    json!({
        "id": name, "name": name, "domain_id": null, "description": null, "options": {},
        "links": {"self": format!("{}/v3/roles/{name}", inbound.base.service(Service::Identity))},
    })
}

/// `GET /v3/roles`.
pub async fn list(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    let named = |r: &Role| inbound.query.get("name").is_none_or(|n| n == r.name());
    // Roles of a domain of its own: there are none.
    let global = inbound.query.get("domain_id").is_none_or(|d| d.is_empty() || d == "null");
    let items = Role::ALL.into_iter().filter(|r| global && named(r)).map(|r| role(&inbound, r)).collect();
    Ok(Reply::ok(&view::list(&inbound, "roles", items)))
}

/// `GET /v3/roles/{id}`.
pub async fn show(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let found = Role::named(id).ok_or_else(|| Fault::not_found(format!("Could not find role: {}.", clean(id))))?;
    Ok(Reply::ok(&json!({"role": role(&inbound, found)})))
}

/// `POST /v3/roles`: a role is a set of permissions, which Kubernetes has names for and Keystone has not.
pub async fn create(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    if !inbound.app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to make roles."));
    }
    let body = inbound.json_under("role").await?;
    let name = body.get("name").and_then(Value::as_str).ok_or_else(|| Fault::bad_request("role needs a name."))?;
    if Role::named(name).is_some() {
        return Err(Fault::conflict("Conflict occurred attempting to store role - Duplicate entry found."));
    }
    Err(Fault::not_served("Making roles, which are ClusterRoles of Kubernetes,"))
}

/// `GET /v3/role_assignments`: one's own, or for an administrator those of all users with a Secret.
pub async fn assignments(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let wanted = inbound.query.get("user.id");
    let users: Vec<User> = if inbound.app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        let all = inbound.app.authenticator.users().all().into_iter().map(|u| u.user());
        all.filter(|u| wanted.is_none_or(|w| w == u.id())).collect()
    } else if wanted == Some(caller.user.id().as_str()) {
        vec![caller.user]
    } else {
        return Err(Fault::forbidden("You are not authorized to see the roles of others: name yourself by user.id."));
    };
    let all = crate::store::projects::all(&inbound.app.stores).into_iter().map(|p| p.id);
    let project = inbound.query.get("scope.project.id");
    let projects: Vec<String> = all.filter(|n| project.is_none_or(|p| p == n)).collect();
    let projects: Vec<String> = projects.into_iter().filter(|p| projects::exists(&inbound.app, p)).collect();
    if users.len() * projects.len() > PAIRS {
        return Err(Fault::bad_request(
            "There are too many users and projects: name one by user.id or scope.project.id.",
        ));
    }
    // Asked for in another scope, or for a group: there are none.
    let elsewhere = ["scope.domain.id", "scope.system", "group.id"].iter().any(|k| inbound.query.get(k).is_some());
    let pairs = users.iter().flat_map(|u| projects.iter().map(|p| (u.clone(), p.clone()))).filter(|_| !elsewhere);
    let found = stream::iter(pairs.collect::<Vec<_>>()).map(|(user, project)| {
        let app = inbound.app.clone();
        async move {
            let roles = roles::roles(&app.authorizer, &user, &project).await?;
            Ok::<_, Fault>((user, project, roles))
        }
    });
    let found: Vec<_> = found.buffered(AT_ONCE).try_collect().await?;
    let wanted = inbound.query.get("role.id");
    let named = inbound.query.pairs().any(|(k, v)| k == "include_names" && !matches!(v, "0" | "false" | "False"));
    let items = found.iter().flat_map(|(user, project, roles)| roles.iter().map(move |r| (user, project, *r)));
    let items = items.filter(|(_, _, r)| wanted.is_none_or(|w| w == r.name()));
    let items = items.map(|(user, project, role)| assignment(&inbound, user, project, role, named)).collect();
    Ok(Reply::ok(&view::list(&inbound, "role_assignments", items)))
}

fn assignment(inbound: &Inbound, user: &User, project: &str, role: Role, named: bool) -> Value {
    let (own, id, role) = (inbound.base.service(Service::Identity), user.id(), role.name());
    let link = format!("{own}/v3/projects/{project}/users/{id}/roles/{role}");
    let mut document = json!({
        "role": {"id": role}, "user": {"id": id}, "scope": {"project": {"id": project}}, "links": {"assignment": link},
    });
    if named {
        document["role"]["name"] = role.into();
        document["user"]["name"] = login(&user.name).into();
        document["user"]["domain"] = view::domain_ref();
        document["scope"]["project"]["name"] = crate::store::projects::name(&inbound.app.stores, project).into();
        document["scope"]["project"]["domain"] = view::domain_ref();
    }
    document
}
