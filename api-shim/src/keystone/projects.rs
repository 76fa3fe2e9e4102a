//! Projects are namespaces with the project label; a caller sees those in which they have a role.

use futures::{StreamExt, TryStreamExt, stream};
use kube::ResourceExt;
use serde_json::json;

use super::view;
use crate::{
    app::App,
    authenticate::{Caller, User},
    authorize::roles,
    fault::Fault,
    http::{Inbound, Reply},
};

/// Checks that run beside each other.
const AT_ONCE: usize = 16;

/// Whether there is such a project.
pub fn exists(app: &App, name: &str) -> bool {
    app.stores.projects.get(None, name).is_some_and(|n| n.metadata.deletion_timestamp.is_none())
}

/// The names of the projects that a user has a role in, sorted.
async fn of_user(app: &App, user: &User) -> Result<Vec<String>, Fault> {
    let names = app.stores.projects.all().into_iter().map(|n| n.name_any());
    let kept = stream::iter(names).map(async |name| {
        let roles = roles::roles(&app.authorizer, user, &name).await?;
        Ok::<_, Fault>((!roles.is_empty()).then_some(name))
    });
    kept.buffered(AT_ONCE).try_filter_map(async |n| Ok(n)).try_collect().await
}

/// `GET /v3/auth/projects`, `GET /v3/projects` and `GET /v3/users/{id}/projects`.
pub async fn list(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    if inbound.params.get("id").is_some_and(|id| *id != caller.user.id()) {
        return Err(Fault::forbidden("You are not authorized to see the projects of another user."));
    }
    let mut names = of_user(&inbound.app, &caller.user).await?;
    if let Some(name) = inbound.query.get("name") {
        names.retain(|n| n == name);
    }
    let items = names.iter().map(|n| view::project(&inbound, n)).collect();
    Ok(Reply::ok(&view::list(&inbound, "projects", items)))
}

/// `GET /v3/projects/{id}`.
pub async fn show(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let name = inbound.param("id");
    let missing = || Fault::not_found(format!("Could not find project: {}.", crate::observe::clean(name)));
    if !exists(&inbound.app, name) || roles::roles(&inbound.app.authorizer, &caller.user, name).await?.is_empty() {
        return Err(missing());
    }
    Ok(Reply::ok(&json!({"project": view::project(&inbound, name)})))
}
