//! `/v3/projects/{id}/tags`.

use http::StatusCode;
use serde_json::{Value, json};

use super::{missing, show, wire};
use crate::{
    authenticate::Caller,
    authorize::rule::identity,
    fault::Fault,
    http::{Inbound, Reply, Service},
    keystone::administration,
    store::projects::{self, Project},
};

fn view(inbound: &Inbound, project: &Project) -> Value {
    let own = format!("{}/v3/projects/{}/tags", inbound.base.service(Service::Identity), project.id);
    json!({"tags": project.tags, "links": {"self": own, "previous": null, "next": null}})
}

async fn seen(inbound: &Inbound, caller: Caller) -> Result<Project, Fault> {
    let id = inbound.param("id");
    let namespace = projects::get(&inbound.app.stores, id).ok_or_else(|| missing(id))?;
    show::visible(inbound, &caller, id).await?;
    Ok(Project::of(&namespace))
}

async fn change(inbound: &Inbound, caller: &Caller, change: impl Fn(&mut Vec<String>)) -> Result<Project, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    administration::served(app)?;
    let warrant = app.authorizer.warrant(caller, identity::CHANGE_PROJECT, None, Some(id)).await?;
    let known = projects::get(&app.stores, id).ok_or_else(|| missing(id))?;
    projects::change(&app.client, &app.stores, &warrant, known, |p| change(&mut p.tags)).await
}

/// `GET`: all.
pub async fn list(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let project = seen(&inbound, caller).await?;
    Ok(Reply::ok(&view(&inbound, &project)))
}

/// `GET` and `HEAD` of one: 204 or 404.
pub async fn check(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let project = seen(&inbound, caller).await?;
    let tag = inbound.param("tag");
    if project.tags.iter().any(|t| t == tag) {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    Err(unknown(tag))
}

/// `PUT` of all.
pub async fn replace(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    administration::served(&inbound.app)?;
    let body = inbound.json().await?;
    let tags = wire::tags(body.get("tags").unwrap_or(&Value::Null))?;
    let project = change(&inbound, &caller, |known| known.clone_from(&tags)).await?;
    Ok(Reply::ok(&view(&inbound, &project)))
}

/// `PUT` of one: 201.
pub async fn add(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    administration::served(&inbound.app)?;
    let tag = wire::tag(inbound.param("tag"))?;
    let add = |known: &mut Vec<String>| {
        if !known.contains(&tag) && known.len() < wire::MOST_TAGS {
            known.push(tag.clone());
        }
    };
    let project = change(&inbound, &caller, add).await?;
    if !project.tags.contains(&tag) {
        return Err(Fault::bad_request(format!("A project has at most {} tags.", wire::MOST_TAGS)));
    }
    Ok(Reply::empty(StatusCode::CREATED))
}

/// `DELETE` of one.
pub async fn delete(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    administration::served(&inbound.app)?;
    let tag = inbound.param("tag");
    if !seen(&inbound, caller.clone()).await?.tags.iter().any(|t| t == tag) {
        return Err(unknown(tag));
    }
    change(&inbound, &caller, |known| known.retain(|t| t != tag)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `DELETE` of all.
pub async fn clear(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    change(&inbound, &caller, Vec::clear).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn unknown(tag: &str) -> Fault {
    Fault::not_found(format!("Could not find project tag: {}.", crate::observe::clean(tag)))
}
