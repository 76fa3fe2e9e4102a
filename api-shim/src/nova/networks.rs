//! What stood for Neutron in Nova up to 2.35: networks are shown, addresses cannot be made.

use kube::ResourceExt;
use ostler_crds::Network;
use serde_json::{Map, Value, json};

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    neutron::networks::id,
    observe::clean,
    store::reads,
};

/// Keys of nova-network that mean nothing here.
const NULLS: &[&str] = &[
    "bridge",
    "bridge_interface",
    "broadcast",
    "cidr_v6",
    "created_at",
    "deleted",
    "deleted_at",
    "dhcp_server",
    "dhcp_start",
    "dns1",
    "dns2",
    "enable_dhcp",
    "gateway_v6",
    "host",
    "injected",
    "multi_host",
    "netmask",
    "netmask_v6",
    "priority",
    "project_id",
    "rxtx_base",
    "share_address",
    "updated_at",
    "vlan",
    "vpn_private_address",
    "vpn_public_address",
    "vpn_public_port",
];

fn full(network: &Network) -> Value {
    let mut document: Map<String, Value> = NULLS.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let subnet = network.spec.subnets.first();
    let own = json!({
        "id": id(network), "label": network.display_name(), "cidr": subnet.map(|s| s.cidr.clone()),
        "gateway": subnet.and_then(|s| s.gateway.clone()), "mtu": network.spec.mtu,
    });
    if let Value::Object(own) = own {
        document.extend(own);
    }
    Value::Object(document)
}

fn brief(network: &Network) -> Value {
    json!({"id": id(network), "label": network.display_name(), "cidr": network.spec.subnets.first().map(|s| s.cidr.clone())})
}

fn all(inbound: &Inbound, permit: &Permit, view: fn(&Network) -> Value) -> Reply {
    let mut found = reads::networks(&inbound.app.stores, permit);
    found.sort_by_key(|n| n.name_any());
    Reply::ok(&json!({"networks": found.iter().map(|n| view(n)).collect::<Vec<Value>>()}))
}

fn one(inbound: &Inbound, permit: &Permit, view: fn(&Network) -> Value) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let found = reads::network(&inbound.app.stores, permit, id);
    let found = found.ok_or_else(|| Fault::not_found(format!("Network {} could not be found.", clean(id))))?;
    Ok(Reply::ok(&json!({"network": view(&found)})))
}

/// `GET /os-networks`.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    Ok(all(&inbound, &permit, full))
}

/// `GET /os-networks/{id}`.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    one(&inbound, &permit, full)
}

/// `GET /os-tenant-networks`.
pub async fn list_brief(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    Ok(all(&inbound, &permit, brief))
}

/// `GET /os-tenant-networks/{id}`.
pub async fn show_brief(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    one(&inbound, &permit, brief)
}

/// `GET /os-floating-ips`: there are none.
pub async fn floating_ips(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"floating_ips": []})))
}

/// `GET /os-floating-ip-pools`: there are none.
pub async fn floating_ip_pools(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"floating_ip_pools": []})))
}

/// One floating IP, which cannot be.
pub async fn floating_ip(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_found(format!("Floating IP not found for ID {}", clean(inbound.param("id")))))
}

/// A floating IP cannot be had.
pub async fn no_floating_ip(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_found("No floating IP pool is there: this version has no floating IPs."))
}

/// Networks are not changed here.
pub async fn refuse(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_served("Changing networks through the compute API (the network API does)"))
}
