//! Networks and their subnet, made, changed and removed by administrators.

use std::sync::Arc;

use http::StatusCode;
use kube::ResourceExt;
use ostler_crds::{Network, NetworkSpec};
use serde_json::json;

use super::{networks, subnets, wire};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::{Stores, networks as store, slug},
};

fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Network {} could not be found.", clean(id))).kind("NetworkNotFound")
}

/// Whoever may write to all Networks sees them all.
fn find(stores: &Stores, id: &str) -> Result<Arc<Network>, Fault> {
    stores.networks.all().into_iter().find(|n| networks::id(n) == id).ok_or_else(|| missing(id))
}

/// Whether guests hold addresses of it.
fn in_use(stores: &Stores, network: &Network) -> bool {
    let name = network.name_any();
    let holds = |s: &ostler_crds::Server| s.status.iter().flat_map(|t| &t.addresses).any(|a| a.network == name);
    stores.servers.all().iter().any(|s| holds(s))
}

fn access(shared: bool, project: &str) -> Option<Vec<String>> {
    (!shared).then(|| vec![project.to_owned()])
}

/// `POST /networks`: without a subnet nothing can be plugged into it.
pub async fn create_network(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let wish = wire::network(&inbound.json_under("network").await?)?;
    let project = wish.project.as_deref().unwrap_or_else(|| permit.project());
    let spec = NetworkSpec {
        display_name: wish.name.clone().filter(|n| !n.is_empty()),
        description: wish.description.filter(|d| !d.is_empty()),
        mode: Default::default(),
        bridge: None,
        subnets: Vec::new(),
        mtu: wish.mtu,
        default: wish.default.unwrap_or(false),
        access: access(wish.shared.unwrap_or(false), project),
    };
    let network = Network::new(&slug::slug(wish.name.as_deref().unwrap_or_default(), "network"), spec);
    let network = store::create(&inbound.app.client, &inbound.app.stores, &permit, network).await?;
    Ok(Reply::json(StatusCode::CREATED, &json!({"network": networks::document(&network)})))
}

/// `PUT /networks/{id}`.
pub async fn update_network(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let wish = wire::network(&inbound.json_under("network").await?)?;
    let app = &inbound.app;
    let known = find(&app.stores, inbound.param("id"))?;
    let network = store::change(&app.client, &app.stores, &permit, known, |network| {
        let spec = &mut network.spec;
        if let Some(name) = wish.name.clone() {
            spec.display_name = Some(name).filter(|n| !n.is_empty());
        }
        if let Some(description) = wish.description.clone() {
            spec.description = Some(description).filter(|d| !d.is_empty());
        }
        if let Some(shared) = wish.shared.filter(|shared| *shared != spec.access.is_none()) {
            spec.access = access(shared, permit.project());
        }
        spec.default = wish.default.unwrap_or(spec.default);
        spec.mtu = wish.mtu.or(spec.mtu);
        Ok(())
    });
    Ok(Reply::ok(&json!({"network": networks::document(&*network.await?)})))
}

/// `DELETE /networks/{id}`, with its subnet; 409 while guests hold addresses of it.
pub async fn delete_network(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let network = find(&app.stores, id)?;
    if in_use(&app.stores, &network) {
        let message = format!(
            "Unable to complete operation on network {id}. There are one or more ports still in use on the network."
        );
        return Err(Fault::conflict(message).kind("NetworkInUse"));
    }
    store::delete(&app.client, &app.stores, &permit, &network).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `POST /subnets`: the only one that a network may have.
pub async fn create_subnet(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let wish = wire::subnet(&inbound.json_under("subnet").await?)?;
    let app = &inbound.app;
    let known = find(&app.stores, &wish.network)?;
    let network = store::change(&app.client, &app.stores, &permit, known, |network| {
        if !network.spec.subnets.is_empty() {
            return Err(Fault::conflict("The network has its subnet; this version serves one a network."));
        }
        network.spec.subnets = vec![wish.subnet.clone()];
        Ok(())
    });
    let network = network.await?;
    Ok(Reply::json(StatusCode::CREATED, &json!({"subnet": subnets::document(&network, &wish.subnet)})))
}

/// `DELETE /subnets/{id}`: a subnet goes with its network.
pub async fn delete_subnet(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let mut all = inbound.app.stores.networks.all().into_iter();
    if all.any(|n| n.spec.subnets.iter().any(|s| subnets::id(&n, s) == id)) {
        let why = "The subnet of a network cannot be removed alone: delete the network.";
        return Err(Fault::conflict(why).kind("SubnetInUse"));
    }
    Err(Fault::not_found(format!("Subnet {} could not be found.", clean(id))).kind("SubnetNotFound"))
}
