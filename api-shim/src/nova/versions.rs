//! Version documents (spec C-01): `GET /compute` and `GET /compute/v2.1`.

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    http::{Inbound, Microversion, Reply},
};

fn v21(inbound: &Inbound) -> Value {
    json!({
        "id": "v2.1", "status": "CURRENT", "updated": "2013-07-23T11:33:21Z",
        "version": Microversion::MAX.to_string(), "min_version": Microversion::MIN.to_string(),
        "links": [{"rel": "self", "href": inbound.base.compute("")}],
    })
}

/// The list of versions.
pub async fn list(inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"versions": [v21(&inbound)]})))
}

/// The version.
pub async fn show(inbound: Inbound) -> Result<Reply, Fault> {
    let mut version = v21(&inbound);
    version["media-types"] =
        json!([{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]);
    if let Some(links) = version["links"].as_array_mut() {
        let href = "https://docs.openstack.org/api-ref/compute/";
        links.push(json!({"rel": "describedby", "type": "text/html", "href": href}));
    }
    Ok(Reply::ok(&json!({"version": version})))
}
