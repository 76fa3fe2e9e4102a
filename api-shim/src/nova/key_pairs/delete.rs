//! `DELETE /os-keypairs/{name}` (spec C-47).

use http::StatusCode;

use super::owner;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    store::key_pairs,
};

/// Removes a key pair: 202 at 2.1, 204 from 2.2 on (spec D-17).
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    owner::known_keys(&inbound, false)?;
    let (pair, _) = owner::find(&inbound, &permit).await?;
    key_pairs::delete(&inbound.app.client, &inbound.app.stores, &permit, &pair).await?;
    let status = if inbound.version >= Microversion(2) { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED };
    Ok(Reply::empty(status))
}
