//! `GET /servers/{id}/ips` and `…/ips/{label}` (spec C-15, C-16; D-05: Nova's form on /v2.1).

use serde_json::{Value, json};

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    shape::{Edit, at_version},
    store::servers,
};

/// These documents name no type and no MAC at any version.
const EDITS: &[Edit] = &[Edit::removed(1, "*/*/OS-EXT-IPS:type"), Edit::removed(1, "*/*/OS-EXT-IPS-MAC:mac_addr")];

async fn addresses(inbound: &Inbound, permit: &Permit) -> Result<Value, Fault> {
    let server = servers::find(&inbound.app.client, &inbound.app.stores, permit, inbound.param("id")).await?;
    let mut addresses = view::addresses(&server);
    at_version(&mut addresses, EDITS, Microversion::MAX);
    Ok(addresses)
}

/// All addresses.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let addresses = addresses(&inbound, &permit).await?;
    Ok(Reply::ok(&json!({ "addresses": addresses })))
}

/// Those of one network.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (addresses, label) = (addresses(&inbound, &permit).await?, inbound.param("label"));
    let own = addresses.get(label).ok_or_else(|| Fault::not_found("Network not found for this instance."))?;
    Ok(Reply::ok(&json!({ label: own })))
}
