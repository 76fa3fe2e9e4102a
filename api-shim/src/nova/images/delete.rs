//! `DELETE /images/{id}` (spec C-30).

use crate::{
    authorize::Permit,
    fault::Fault,
    glance,
    http::{Inbound, Reply},
};

/// As Glance does it.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    glance::images::delete::delete(inbound, permit).await
}
