//! `DELETE /os-keypairs/{name}` (spec C-47).

use http::StatusCode;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    observe::clean,
    store::{key_pairs, reads},
};

/// Removes a key pair of the caller: 202 at 2.1, 204 from 2.2 on (spec D-17).
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let name = inbound.param("name");
    let pair = reads::key_pair(&inbound.app.stores, &permit, name)
        .ok_or_else(|| Fault::not_found(format!("Keypair {} not found for user.", clean(name))))?;
    key_pairs::delete(&inbound.app.client, &inbound.app.stores, &permit, &pair).await?;
    let status = if inbound.version >= Microversion(2) { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED };
    Ok(Reply::empty(status))
}
