//! `GET /v2.0/subnets`: the ranges of Networks.

use std::net::Ipv4Addr;

use ostler_crds::{Network, network::Subnet};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{networks, select};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::reads,
};

/// The id of a subnet: derived from its network's and its range, because it is no object of its own.
pub fn id(network: &Network, subnet: &Subnet) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{}/{}", networks::id(network), subnet.cidr).as_bytes()).to_string()
}

/// First address, gateway unless set, and last address of a range. `None` for what is no range.
fn bounds(cidr: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let (address, length) = cidr.split_once('/')?;
    let (base, length): (u32, u32) = (address.parse::<Ipv4Addr>().ok()?.into(), length.parse().ok()?);
    let size = 1u32.checked_shl(32u32.checked_sub(length)?)?;
    Some((base.checked_add(1)?.into(), base.checked_add(size.checked_sub(2)?)?.into()))
}

pub(super) fn document(network: &Network, subnet: &Subnet) -> Value {
    let range = bounds(&subnet.cidr);
    let gateway = subnet.gateway.clone().or_else(|| range.map(|r| r.0.to_string()));
    let pool = match (&subnet.pool, range) {
        (Some(pool), _) => vec![json!({"start": pool.first, "end": pool.last})],
        (None, Some((first, last))) => vec![json!({"start": first.to_string(), "end": last.to_string()})],
        (None, None) => Vec::new(),
    };
    let dns = subnet.dns_servers.clone().or_else(|| gateway.clone().map(|g| vec![g])).unwrap_or_default();
    json!({
        "id": id(network, subnet), "name": network.display_name(), "description": "",
        "network_id": networks::id(network), "cidr": subnet.cidr, "ip_version": 4, "gateway_ip": gateway,
        "enable_dhcp": true, "dns_nameservers": dns, "allocation_pools": pool, "host_routes": [],
        "ipv6_ra_mode": null, "ipv6_address_mode": null, "subnetpool_id": null, "service_types": [], "tags": [],
        "project_id": "", "tenant_id": "", "segment_id": null, "revision_number": 1,
    })
}

fn all(inbound: &Inbound, permit: &Permit) -> Vec<Value> {
    let networks = reads::networks(&inbound.app.stores, permit);
    networks.iter().flat_map(|n| n.spec.subnets.iter().map(|s| document(n, s))).collect()
}

/// The subnets of the networks that the project may use.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&select::list(&inbound.query, "subnets", all(&inbound, &permit))?))
}

/// A subnet.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let found = all(&inbound, &permit).into_iter().find(|s| s["id"] == id);
    let missing = || Fault::not_found(format!("Subnet {} could not be found.", clean(id))).kind("SubnetNotFound");
    Ok(Reply::ok(&json!({"subnet": select::fields(found.ok_or_else(missing)?, &inbound.query)})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_bounds() {
        let text = |c: &str| bounds(c).map(|(a, b)| format!("{a} {b}"));
        assert_eq!(text("10.20.0.0/24").as_deref(), Some("10.20.0.1 10.20.0.254"));
        assert_eq!(text("10.20.0.0/29").as_deref(), Some("10.20.0.1 10.20.0.6"));
        for bad in ["10.20.0.0", "10.20.0.0/33", "x/24", "0.0.0.0/0"] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }
}
