//! ServerGroups of a project: find, list, create, delete.

use std::sync::Arc;

use kube::{Client, ResourceExt};
use ostler_crds::ServerGroup;

use super::{Stores, reads, write::Writer};
use crate::{authorize::Permit, fault::Fault};

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> Writer<'a, ServerGroup> {
    Writer { client, cache: &stores.server_groups, what: "ServerGroup" }
}

/// The ServerGroup with this id, or Nova's 404.
pub async fn find(client: &Client, stores: &Stores, permit: &Permit, id: &str) -> Result<Arc<ServerGroup>, Fault> {
    let found = reads::own_by_id(client, &stores.server_groups, permit, id).await?;
    found.ok_or_else(|| Fault::not_found(format!("Instance group {} could not be found.", crate::observe::clean(id))))
}

/// The permit's project's own, or those of all projects, for whom the caller has asked; the oldest first.
pub fn all(stores: &Stores, permit: &Permit, wide: bool) -> Vec<Arc<ServerGroup>> {
    let mut all = if wide { stores.server_groups.all() } else { stores.server_groups.in_namespace(permit.project()) };
    all.retain(|g| permit.covers(&g.metadata));
    all.sort_by_key(|g| (g.metadata.creation_timestamp.clone(), g.name_any()));
    all
}

/// Creates a ServerGroup in the permit's project.
pub async fn create(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    group: ServerGroup,
) -> Result<Arc<ServerGroup>, Fault> {
    writer(client, stores).create(permit, group).await
}

/// Deletes a ServerGroup.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, group: &ServerGroup) -> Result<(), Fault> {
    writer(client, stores).delete(permit, group).await
}
