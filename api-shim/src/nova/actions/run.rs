//! What all actions do: check the body, find the server, look at lock and state, change it and note the event in one
//! write.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use kube::ResourceExt;
use ostler_crds::Server;
use serde_json::Value;

use super::{state, table::Row};
use crate::{
    authorize::{Permit, rule::common},
    fault::Fault,
    http::{Inbound, Reply},
    nova::instance_actions::record::{self, Record},
    store::servers,
};

/// A pure change of a Server; the value is the action's.
pub type Edit = fn(&mut Server, &Value) -> Result<(), Fault>;

/// An action that is nothing but a change of the Server.
pub async fn edit(
    row: &'static Row,
    inbound: Inbound,
    permit: Permit,
    argument: Value,
    edit: Edit,
) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    change(row, &inbound, &permit, |server| edit(server, &argument)).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// An action that Nova has and this version has not. It is told of servers that exist, and to those who may.
pub async fn refuse(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    find(&inbound, &permit).await?;
    Err(Fault::not_served(&format!("The action {}", row.name)))
}

/// The server that the path names.
pub async fn find(inbound: &Inbound, permit: &Permit) -> Result<Arc<Server>, Fault> {
    servers::find(&inbound.app.client, &inbound.app.stores, permit, inbound.param("id")).await
}

/// The same, if lock and state let the action start.
pub async fn find_fit(row: &Row, inbound: &Inbound, permit: &Permit) -> Result<Arc<Server>, Fault> {
    let known = find(inbound, permit).await?;
    state::check_lock(&known, row, may_override(row, inbound, permit, &known).await?)?;
    state::check(&known, row)?;
    Ok(known)
}

/// Changes the server if lock and state let the action start, and notes the event, in one write. Everything is checked
/// anew when somebody else wrote meanwhile.
pub async fn change(
    row: &Row,
    inbound: &Inbound,
    permit: &Permit,
    edit: impl Fn(&mut Server) -> Result<(), Fault>,
) -> Result<Arc<Server>, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let known = find(inbound, permit).await?;
    let may_override = may_override(row, inbound, permit, &known).await?;
    let told = row.told.then(|| Record::new(row.verb, inbound, permit, Timestamp::now()));
    let change = |server: &mut Server| {
        state::check_lock(server, row, may_override)?;
        state::check(server, row)?;
        edit(server)?;
        if let Some(event) = &told {
            record::note(&mut server.metadata, event);
        }
        Ok(())
    };
    servers::change(&app.client, &app.stores, permit, id, change).await
}

/// Whether the caller may go past the lock that the server has; asked only if it has one.
async fn may_override(row: &Row, inbound: &Inbound, permit: &Permit, known: &Server) -> Result<bool, Fault> {
    if !row.lock || !state::is_locked(known) {
        return Ok(false);
    }
    inbound.app.authorizer.may_also_on(permit, common::OVERRIDE_LOCK, &known.name_any()).await
}
