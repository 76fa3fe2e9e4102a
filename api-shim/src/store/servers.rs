//! Servers of a project: create, change, delete.

use std::sync::Arc;

use kube::Client;
use ostler_crds::Server;

use super::{Stores, reads, write::Writer};
use crate::{authorize::Permit, fault::Fault};

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> Writer<'a, Server> {
    Writer { client, cache: &stores.servers, what: "Server" }
}

/// The Server with this id, or Nova's 404.
pub async fn find(client: &Client, stores: &Stores, permit: &Permit, id: &str) -> Result<Arc<Server>, Fault> {
    let found = reads::own_by_id(client, &stores.servers, permit, id).await?;
    found.ok_or_else(|| Fault::not_found(format!("Instance {} could not be found.", crate::observe::clean(id))))
}

/// Creates a Server in the permit's project.
pub async fn create(client: &Client, stores: &Stores, permit: &Permit, server: Server) -> Result<Arc<Server>, Fault> {
    writer(client, stores).create(permit, server).await
}

/// Changes a Server; `change` is run again if somebody else wrote meanwhile.
pub async fn change(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    id: &str,
    change: impl Fn(&mut Server) -> Result<(), Fault>,
) -> Result<Arc<Server>, Fault> {
    let known = find(client, stores, permit, id).await?;
    writer(client, stores).change(permit, known, change).await
}

/// Asks for the removal of a Server; its object stays until the guest is gone.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, server: &Server) -> Result<(), Fault> {
    writer(client, stores).delete(permit, server).await
}
