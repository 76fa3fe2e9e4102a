//! `addSecurityGroup` and `removeSecurityGroup`: which groups a server is in. Their rules hold at once.

use http::StatusCode;
use ostler_crds::{Server, security_group::DEFAULT};
use serde_json::Value;

use super::{run, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::security_groups,
};

/// Puts the server into a group.
pub async fn add(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    change(row, inbound, permit, argument, |server, name, _| {
        join(server, name);
        Ok(())
    })
    .await
}

/// Takes the server out of a group.
pub async fn remove(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    change(row, inbound, permit, argument, |server, name, called| {
        let message = || format!("Security group {} is not associated with the instance.", clean(called));
        if leave(server, name) { Ok(()) } else { Err(Fault::not_found(message())) }
    })
    .await
}

async fn change(
    row: &'static Row,
    inbound: Inbound,
    permit: Permit,
    argument: Value,
    edit: fn(&mut Server, &str, &str) -> Result<(), Fault>,
) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let called = argument.get("name").and_then(Value::as_str).unwrap_or_default();
    if called.is_empty() {
        let path = format!("{}.name", row.name);
        return Err(Fault::invalid_field(&path, "It must be the name of a security group."));
    }
    run::find(&inbound, &permit).await?;
    let project = permit.project();
    let unknown = || Fault::not_found(format!("Security group {} not found for project {project}.", clean(called)));
    let name = security_groups::named(&inbound.app.stores, project, called)?.ok_or_else(unknown)?;
    run::change(row, &inbound, &permit, |server| edit(server, &name, called)).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// Nothing changes for one that is in it. Pure.
fn join(server: &mut Server, name: &str) {
    let mut groups: Vec<String> = server.spec.security_groups().into_iter().map(str::to_owned).collect();
    if !groups.iter().any(|group| group == name) {
        groups.push(name.to_owned());
    }
    put(server, groups);
}

/// Whether it was in it. Pure.
fn leave(server: &mut Server, name: &str) -> bool {
    let mut groups: Vec<String> = server.spec.security_groups().into_iter().map(str::to_owned).collect();
    let before = groups.len();
    groups.retain(|group| group != name);
    let was_in = groups.len() < before;
    put(server, groups);
    was_in
}

fn put(server: &mut Server, groups: Vec<String>) {
    server.spec.security_groups = Some(groups).filter(|groups| *groups != [DEFAULT]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_leaves_the_default_group_and_comes_back() {
        let mut server = Server::new("a", Default::default());
        assert!(leave(&mut server, "default"));
        assert_eq!(server.spec.security_groups, Some(vec![]));
        assert!(!leave(&mut server, "default"));
        join(&mut server, "default");
        assert_eq!(server.spec.security_groups, None);
        join(&mut server, "web");
        join(&mut server, "web");
        assert_eq!(server.spec.security_groups(), ["default", "web"]);
        assert!(leave(&mut server, "default"));
        assert_eq!(server.spec.security_groups(), ["web"]);
    }
}
