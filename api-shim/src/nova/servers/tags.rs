//! Tags of a server, from 2.26 on (Terraform asks at each refresh).

use http::StatusCode;
use ostler_crds::{
    Server,
    server::state::{self, VmState},
};
use serde_json::{Value, json};

use super::text;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::actions::run::find,
    shape::{Field, fields},
    store::servers,
};

/// Most tags of a server.
const MOST: usize = 50;

/// The tags.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let server = find(&inbound, &permit).await?;
    Ok(Reply::ok(&json!({"tags": server.spec.tags})))
}

/// Whether a tag is there: 204, or 404.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (server, tag) = (find(&inbound, &permit).await?, inbound.param("tag"));
    if server.spec.tags.iter().any(|t| t == tag) {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    Err(missing(&server, tag))
}

/// Replaces all.
pub async fn replace(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let Value::Object(body) = inbound.json().await? else {
        return Err(Fault::bad_request("Malformed request body: an object is expected."));
    };
    fields::check(&body, &[Field::new("tags")], inbound.version, "body")?;
    let tags: Option<Vec<String>> = body.get("tags").and_then(|t| serde_json::from_value(t.clone()).ok());
    let mut tags = tags.ok_or_else(|| Fault::invalid_field("tags", "It must be a list of texts."))?;
    let mut seen = std::collections::HashSet::new();
    tags.retain(|t| seen.insert(t.clone()));
    text::tags(&tags)?;
    let server = change(&inbound, &permit, |server| {
        server.spec.tags.clone_from(&tags);
        Ok(())
    })
    .await?;
    Ok(Reply::ok(&json!({"tags": server.spec.tags})))
}

/// Removes all.
pub async fn clear(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let none = |server: &mut Server| {
        server.spec.tags.clear();
        Ok(())
    };
    change(&inbound, &permit, none).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Adds one: 201, or 204 if it was there.
pub async fn add(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let tag = inbound.param("tag").to_owned();
    text::tag(&tag)?;
    let had = find(&inbound, &permit).await?.spec.tags.contains(&tag);
    change(&inbound, &permit, |server| with(server, &tag)).await?;
    let location = inbound.base.compute(&format!("servers/{}/tags/{tag}", inbound.param("id")));
    let status = if had { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
    Ok(Reply::empty(status).header("location", &location))
}

/// Removes one.
pub async fn remove(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let tag = inbound.param("tag").to_owned();
    change(&inbound, &permit, |server| without(server, &tag)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn change(
    inbound: &Inbound,
    permit: &Permit,
    edit: impl Fn(&mut Server) -> Result<(), Fault>,
) -> Result<std::sync::Arc<Server>, Fault> {
    let app = &inbound.app;
    let change = |server: &mut Server| {
        changeable(server)?;
        edit(server)
    };
    servers::change(&app.client, &app.stores, permit, inbound.param("id"), change).await
}

fn missing(server: &Server, tag: &str) -> Fault {
    let (id, tag) = (super::view::id(server), crate::observe::clean(tag));
    Fault::not_found(format!("Server {id} has no tag '{tag}'"))
}

fn with(server: &mut Server, tag: &str) -> Result<(), Fault> {
    let tags = &mut server.spec.tags;
    if tags.iter().any(|t| t == tag) {
        return Ok(());
    }
    if tags.len() >= MOST {
        return Err(Fault::bad_request(format!("The number of tags exceeded the per-server limit {MOST}")));
    }
    tags.push(tag.to_owned());
    Ok(())
}

fn without(server: &mut Server, tag: &str) -> Result<(), Fault> {
    let at = server.spec.tags.iter().position(|t| t == tag);
    let at = at.ok_or_else(|| missing(server, tag))?;
    server.spec.tags.remove(at);
    Ok(())
}

/// Tags change in these states only, whatever goes on.
fn changeable(server: &Server) -> Result<(), Fault> {
    let shown = state::shown(server);
    match shown.vm_state {
        VmState::Active | VmState::Paused | VmState::Suspended | VmState::Stopped => Ok(()),
        other => Err(Fault::conflict(format!(
            "Server '{}' is in {}; tags can be changed in active, paused, suspended, stopped only.",
            super::view::id(server),
            other.as_str()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_there_once_and_there_are_at_most_fifty() {
        let mut server = Server::new("a", Default::default());
        with(&mut server, "red").unwrap();
        with(&mut server, "red").unwrap();
        assert_eq!(server.spec.tags, ["red"]);
        without(&mut server, "red").unwrap();
        assert_eq!(without(&mut server, "red").unwrap_err().status.as_u16(), 404);
        for number in 0..MOST {
            with(&mut server, &number.to_string()).unwrap();
        }
        assert_eq!(with(&mut server, "more").unwrap_err().status.as_u16(), 400);
        assert_eq!(changeable(&server).unwrap_err().status.as_u16(), 409, "it is being built");
    }
}
