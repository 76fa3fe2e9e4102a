//! Version documents (spec C-01): `GET /compute`, `GET /compute/v2` and `GET /compute/v2.1`.

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    http::{Inbound, Microversion, Reply, Service},
};

/// 2.0 is 2.1 without microversions, for clients of old.
fn v20(inbound: &Inbound) -> Value {
    json!({
        "id": "v2.0", "status": "SUPPORTED", "updated": "2011-01-21T11:33:21Z", "version": "", "min_version": "",
        "links": [{"rel": "self", "href": inbound.base.compute_root("v2")}],
    })
}

fn v21(inbound: &Inbound) -> Value {
    json!({
        "id": "v2.1", "status": "CURRENT", "updated": "2013-07-23T11:33:21Z",
        "version": Microversion::MAX.to_string(), "min_version": Microversion::MIN.to_string(),
        "links": [{"rel": "self", "href": inbound.base.compute_root("v2.1")}],
    })
}

/// The list of versions.
pub async fn list(inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"versions": [v20(&inbound), v21(&inbound)]})))
}

/// The version.
pub async fn show(inbound: Inbound) -> Result<Reply, Fault> {
    let (mut version, number) =
        if Service::is_legacy_compute(&inbound.path) { (v20(&inbound), "2") } else { (v21(&inbound), "2.1") };
    let media = format!("application/vnd.openstack.compute+json;version={number}");
    version["media-types"] = json!([{"base": "application/json", "type": media}]);
    if let Some(links) = version["links"].as_array_mut() {
        let href = "https://docs.openstack.org/api-ref/compute/";
        links.push(json!({"rel": "describedby", "type": "text/html", "href": href}));
    }
    Ok(Reply::ok(&json!({"version": version})))
}
