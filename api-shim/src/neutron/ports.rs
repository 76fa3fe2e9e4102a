//! `GET /v2.0/ports`: the interfaces of the project's Servers.

use ostler_crds::{Server, server::ServerAddress};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{networks, select, subnets};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::servers::view,
    observe::clean,
    store::{Stores, reads, security_groups},
};

/// The id of the port of an address of a server.
pub fn id(server: &Server, address: &ServerAddress) -> String {
    let name = format!("{}/{}", view::id(server), address.mac);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

fn document(stores: &Stores, server: &Server, address: &ServerAddress) -> Value {
    let device = view::id(server);
    let network = stores.networks.get(None, &address.network);
    let network_id = network.as_ref().map(|n| networks::id(n)).unwrap_or_default();
    let subnet = network.as_ref().and_then(|n| n.spec.subnets.first().map(|s| subnets::id(n, s)));
    let project = server.metadata.namespace.clone().unwrap_or_default();
    let groups: Vec<String> =
        security_groups::of_server(stores, server).iter().map(|g| security_groups::id(g)).collect();
    json!({
        "id": id(server, address), "name": "", "description": "", "network_id": network_id, "device_id": device,
        "device_owner": "compute:nova", "mac_address": address.mac, "status": "ACTIVE", "admin_state_up": true,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address.address}], "allowed_address_pairs": [],
        "security_groups": groups, "port_security_enabled": false, "tags": [],
        "binding:vnic_type": "normal", "extra_dhcp_opts": [], "revision_number": 1, "project_id": project,
        "tenant_id": project,
    })
}

fn all(inbound: &Inbound, permit: &Permit) -> Vec<Value> {
    let stores = &inbound.app.stores;
    let wanted = inbound.query.get("device_id");
    let mut servers = reads::servers(stores, permit);
    servers.retain(|s| wanted.is_none_or(|w| view::id(s) == w));
    let of = |s: &Server| -> Vec<Value> {
        s.status.iter().flat_map(|t| &t.addresses).map(|a| document(stores, s, a)).collect()
    };
    servers.iter().flat_map(|s| of(s)).collect()
}

/// The ports of the project's servers.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&select::list(&inbound.query, "ports", all(&inbound, &permit))?))
}

/// A port.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let found = all(&inbound, &permit).into_iter().find(|p| p["id"] == id);
    let missing = || Fault::not_found(format!("Port {} could not be found.", clean(id))).kind("PortNotFound");
    Ok(Reply::ok(&json!({"port": select::fields(found.ok_or_else(missing)?, &inbound.query)})))
}
