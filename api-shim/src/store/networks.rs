//! Networks for administrators: create, change, delete.

use std::sync::Arc;

use kube::Client;
use ostler_crds::Network;

use super::{Stores, write::ClusterWriter};
use crate::{authorize::Permit, fault::Fault};

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> ClusterWriter<'a, Network> {
    ClusterWriter { client, cache: &stores.networks, what: "Network" }
}

/// Creates a Network.
pub async fn create(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    network: Network,
) -> Result<Arc<Network>, Fault> {
    writer(client, stores).create(permit, network).await
}

/// Changes a Network.
pub async fn change(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    known: Arc<Network>,
    change: impl Fn(&mut Network) -> Result<(), Fault>,
) -> Result<Arc<Network>, Fault> {
    writer(client, stores).change(permit, known, change).await
}

/// Deletes a Network.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, network: &Network) -> Result<(), Fault> {
    writer(client, stores).delete(permit, network).await
}
