//! Writes, which this version refuses.

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// 501: flavors are made by administrators as Kubernetes objects.
pub async fn refuse(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_served("Changing flavors (administrators make Flavor objects in Kubernetes)"))
}
