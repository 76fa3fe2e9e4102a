//! Writes that this version refuses.

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// 501.
pub async fn refuse(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_served("Changing ports, routers and addresses, and subnets once they are made"))
}
