//! Version documents: `GET /network` and `GET /network/v2.0`.

use serde_json::json;

use crate::{
    fault::Fault,
    http::{Inbound, Reply, Service},
};

/// The list of versions.
pub async fn list(inbound: Inbound) -> Result<Reply, Fault> {
    let href = format!("{}/v2.0/", inbound.base.service(Service::Network));
    let version = json!({"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": href}]});
    Ok(Reply::ok(&json!({"versions": [version]})))
}

/// What the version serves.
pub async fn show(inbound: Inbound) -> Result<Reply, Fault> {
    let resource = |name: &str, collection: &str| {
        let href = format!("{}/v2.0/{collection}", inbound.base.service(Service::Network));
        json!({"name": name, "collection": collection, "links": [{"rel": "self", "href": href}]})
    };
    Ok(Reply::ok(&json!({"resources": [
        resource("network", "networks"), resource("subnet", "subnets"), resource("port", "ports"),
        resource("security_group", "security-groups"), resource("security_group_rule", "security-group-rules"),
    ]})))
}
