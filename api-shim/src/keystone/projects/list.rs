//! `GET /v3/projects` for administrators, `GET /v3/auth/projects` and `GET /v3/users/{id}/projects`.

use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    app::App,
    authenticate::{Caller, User},
    authorize::{roles, rule::common},
    fault::Fault,
    http::{Inbound, Query, Reply},
    keystone::{DOMAIN_ID, view},
    store::projects::{self, Project},
};

/// Checks that run beside each other.
const AT_ONCE: usize = 16;

/// The projects that a user has a role in, sorted by id.
async fn of_user(app: &App, user: &User) -> Result<Vec<Project>, Fault> {
    let kept = stream::iter(projects::all(&app.stores)).map(async |project| {
        let roles = roles::roles(&app.authorizer, user, &project.id).await?;
        Ok::<_, Fault>((!roles.is_empty()).then_some(project))
    });
    kept.buffered(AT_ONCE).try_filter_map(async |p| Ok(p)).try_collect().await
}

/// All of them, for administrators.
pub async fn all(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    if !inbound.app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to list projects; your own are at /v3/auth/projects."));
    }
    let all = projects::all(&inbound.app.stores);
    answer(&inbound, all)
}

/// The caller's own, or for an administrator those of another user.
pub async fn own(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let of = match inbound.params.get("id").filter(|id| **id != caller.user.id()) {
        None => caller.user,
        Some(id) if app.authorizer.may(&caller.user, None, common::ADMIN).await? => {
            let found = app.authenticator.users().find_by_id(id).map(|u| u.user());
            found.ok_or_else(|| Fault::not_found(format!("Could not find user: {}.", crate::observe::clean(id))))?
        }
        Some(_) => return Err(Fault::forbidden("You are not authorized to see the projects of another user.")),
    };
    let mut found = of_user(app, &of).await?;
    found.retain(|p| p.enabled);
    answer(&inbound, found)
}

fn answer(inbound: &Inbound, mut projects: Vec<Project>) -> Result<Reply, Fault> {
    let wanted = filter(&inbound.query)?;
    projects.retain(wanted);
    let items = projects.iter().map(|p| view::project(inbound, p)).collect();
    Ok(Reply::ok(&view::list(inbound, "projects", items)))
}

/// What a query asks for. Pure.
fn filter(query: &Query) -> Result<impl Fn(&Project) -> bool, Fault> {
    let (name, enabled) = (query.get("name"), query.flag("enabled")?);
    // All projects are in the only domain, and it is the parent of all.
    let none = query.flag("is_domain")? == Some(true)
        || ["domain_id", "parent_id"].iter().any(|k| query.get(k).is_some_and(|d| d != DOMAIN_ID));
    Ok(move |p: &Project| !none && name.is_none_or(|n| n == p.name) && enabled.is_none_or(|e| e == p.enabled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_narrows_the_list() {
        let project = |name: &str, enabled| Project {
            id: name.to_lowercase(),
            name: name.into(),
            description: String::new(),
            enabled,
            tags: vec![],
        };
        let all = [project("A", true), project("B", false)];
        let names = |query: &str| {
            let (query, all) = (Query::parse(query), all.clone());
            let wanted = filter(&query).unwrap();
            all.into_iter().filter(|p| wanted(p)).map(|p| p.name).collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["A", "B"]);
        assert_eq!(names("name=B"), ["B"]);
        assert_eq!(names("enabled=false"), ["B"]);
        assert_eq!(names("domain_id=default&is_domain=false"), ["A", "B"]);
        for nothing in ["parent_id=x", "domain_id=x", "is_domain=true", "name=b"] {
            assert!(names(nothing).is_empty(), "{nothing}");
        }
    }
}
