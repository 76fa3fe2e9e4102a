//! `GET /os-availability-zone`: the zones of the Hosts.

use std::collections::BTreeMap;

use ostler_crds::Host;
use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::operator,
    shape::time,
    store::updated_at,
};

/// Whether guests can be placed on a host.
fn is_up(host: &Host) -> bool {
    host.spec.schedulable && operator::is_up(host)
}

/// The zones, without their hosts.
pub async fn list(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let mut zones = BTreeMap::<String, bool>::new();
    for host in inbound.app.stores.hosts.all() {
        *zones.entry(host.availability_zone().to_owned()).or_default() |= is_up(&host);
    }
    let zones: Vec<_> = zones
        .into_iter()
        .map(|(name, up)| json!({"zoneName": name, "zoneState": {"available": up}, "hosts": null}))
        .collect();
    Ok(Reply::ok(&json!({"availabilityZoneInfo": zones})))
}

/// The zones with their hosts, for administrators. The CLI asks for this first and relies on the 403.
pub async fn detail(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let mut zones = BTreeMap::<String, (bool, serde_json::Map<_, _>)>::new();
    for host in inbound.app.stores.hosts.all() {
        let up = is_up(&host);
        let zone = zones.entry(host.availability_zone().to_owned()).or_default();
        zone.0 |= up;
        let updated = updated_at(&host.metadata).map(time::micros_bare);
        let service =
            json!({"nova-compute": {"available": up, "active": host.spec.schedulable, "updated_at": updated}});
        zone.1.insert(host.metadata.name.clone().unwrap_or_default(), service);
    }
    let zones: Vec<_> = zones
        .into_iter()
        .map(|(name, (up, hosts))| json!({"zoneName": name, "zoneState": {"available": up}, "hosts": hosts}))
        .collect();
    Ok(Reply::ok(&json!({"availabilityZoneInfo": zones})))
}
