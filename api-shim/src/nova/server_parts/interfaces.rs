//! `GET /servers/{id}/os-interface`: the interfaces that a server was made with. They are the ports of the network service.

use ostler_crds::{Server, server::ServerAddress};
use serde_json::{Value, json};

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    neutron::{networks, ports, subnets},
    nova::actions::run::find,
    shape::{Edit, at_version},
    store::Stores,
};

const EDITS: &[Edit] = &[Edit::added(70, "tag")];

/// All interfaces.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let server = find(&inbound, &permit).await?;
    let items = all(&server, &inbound.app.stores, inbound.version);
    Ok(Reply::ok(&json!({ "interfaceAttachments": items })))
}

/// The one of a port.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (server, port) = (find(&inbound, &permit).await?, inbound.param("port"));
    let all = all(&server, &inbound.app.stores, inbound.version);
    let found = all.into_iter().find(|i| i["port_id"] == port);
    let missing = || {
        let port = crate::observe::clean(port);
        Fault::not_found(format!("Instance {} does not have a port with id {port}", inbound.param("id")))
    };
    Ok(Reply::ok(&json!({"interfaceAttachment": found.ok_or_else(missing)?})))
}

fn all(server: &Server, stores: &Stores, version: Microversion) -> Vec<Value> {
    let addresses = server.status.iter().flat_map(|s| &s.addresses);
    addresses.map(|a| interface(server, a, stores, version)).collect()
}

fn interface(server: &Server, address: &ServerAddress, stores: &Stores, version: Microversion) -> Value {
    let network = stores.networks.get(None, &address.network);
    let subnet = network.as_ref().and_then(|n| n.spec.subnets.first().map(|s| subnets::id(n, s)));
    let mut document = json!({
        "port_state": "ACTIVE", "port_id": ports::id(server, address),
        "net_id": network.as_ref().map(|n| networks::id(n)).unwrap_or_default(), "mac_addr": address.mac,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address.address}], "tag": null,
    });
    at_version(&mut document, EDITS, version);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_the_port_of_its_address_and_has_a_tag_from_2_70_on() {
        let mut server = Server::new("a", Default::default());
        server.metadata.uid = Some(uuid::Uuid::from_u128(1).to_string());
        server.status = serde_json::from_value(json!({
            "addresses": [{"network": "n", "label": "n", "mac": "52:54:00:00:00:01", "address": "10.0.0.5", "prefixLength": 24}],
        }))
        .unwrap();
        let at = |version| all(&server, &Stores::empty(), Microversion(version)).remove(0);
        assert!(at(69).get("tag").is_none() && at(70).get("tag").is_some());
        assert_eq!(at(1)["fixed_ips"][0]["ip_address"], "10.0.0.5");
        assert_eq!(at(1)["port_id"], ports::id(&server, &server.status.as_ref().unwrap().addresses[0]));
    }
}
