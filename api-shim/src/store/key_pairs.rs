//! KeyPairs of a user in a project: create and delete.

use std::sync::Arc;

use kube::Client;
use ostler_crds::KeyPair;

use super::{Stores, write::Writer};
use crate::{authorize::Permit, fault::Fault};

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> Writer<'a, KeyPair> {
    Writer { client, cache: &stores.key_pairs, what: "KeyPair" }
}

/// Creates a KeyPair in the permit's project.
pub async fn create(client: &Client, stores: &Stores, permit: &Permit, key: KeyPair) -> Result<Arc<KeyPair>, Fault> {
    writer(client, stores).create(permit, key).await
}

/// Deletes a KeyPair.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, key: &KeyPair) -> Result<(), Fault> {
    writer(client, stores).delete(permit, key).await
}
