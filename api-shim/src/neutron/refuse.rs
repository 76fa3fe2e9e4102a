//! Writes, which this version refuses.

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// 501: networks are made by administrators as Kubernetes objects.
pub async fn refuse(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_served("Changing the network (administrators make Network objects in Kubernetes)"))
}
