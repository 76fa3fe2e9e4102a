//! `GET /v2.0/networks`.

use ostler_crds::{Network, OpenStackId};
use serde_json::{Value, json};

use super::{select, subnets};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    shape::time,
    store::{reads, updated_at},
};

/// The id of a network.
pub fn id(network: &Network) -> String {
    OpenStackId::of(&network.metadata).map(|i| i.to_string()).unwrap_or_default()
}

pub(super) fn document(network: &Network) -> Value {
    let spec = &network.spec;
    let subnets: Vec<String> = spec.subnets.iter().map(|s| subnets::id(network, s)).collect();
    let created = network.metadata.creation_timestamp.as_ref().map(|t| time::seconds(t.0));
    json!({
        "id": id(network), "name": network.display_name(), "description": spec.description.clone().unwrap_or_default(),
        "status": "ACTIVE", "admin_state_up": true, "shared": spec.access.is_none(), "router:external": false,
        "mtu": spec.mtu.unwrap_or(1500), "subnets": subnets, "is_default": spec.default,
        // No project owns a network: an administrator made it.
        "project_id": "", "tenant_id": "", "port_security_enabled": false, "tags": [], "availability_zones": [],
        "availability_zone_hints": [], "ipv4_address_scope": null, "ipv6_address_scope": null, "revision_number": 1,
        "created_at": created, "updated_at": updated_at(&network.metadata).map(time::seconds),
    })
}

/// The networks that the project may use.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let items = reads::networks(&inbound.app.stores, &permit).iter().map(|n| document(n)).collect();
    Ok(Reply::ok(&select::list(&inbound.query, "networks", items)?))
}

/// A network.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let missing = || Fault::not_found(format!("Network {} could not be found.", clean(id))).kind("NetworkNotFound");
    let network = reads::network(&inbound.app.stores, &permit, id).ok_or_else(missing)?;
    Ok(Reply::ok(&json!({"network": select::fields(document(&network), &inbound.query)})))
}
