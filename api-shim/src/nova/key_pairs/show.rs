//! `GET /os-keypairs/{name}` (spec C-45).

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::reads,
};

/// A key pair of the caller.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let name = inbound.param("name");
    let pair = reads::key_pair(&inbound.app.stores, &permit, name)
        .ok_or_else(|| Fault::not_found(format!("Keypair {} not found for user.", clean(name))))?;
    Ok(Reply::ok(&view::full(&pair, &permit.caller().user.id(), inbound.version)))
}
