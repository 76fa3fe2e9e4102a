//! Hosts for administrators: whether guests may be placed on them.

use std::sync::Arc;

use kube::Client;
use ostler_crds::Host;

use super::{Stores, write::ClusterWriter};
use crate::{authorize::Permit, fault::Fault};

/// Changes a Host's spec.
pub async fn change(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    known: Arc<Host>,
    change: impl Fn(&mut Host) -> Result<(), Fault>,
) -> Result<Arc<Host>, Fault> {
    ClusterWriter { client, cache: &stores.hosts, what: "Host" }.change(permit, known, change).await
}
