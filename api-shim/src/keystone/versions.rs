//! Version documents: `GET /`, `/identity` (300) and `/v3` (200).

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    http::{Inbound, Reply, Service},
};

fn v3(inbound: &Inbound) -> Value {
    json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/v3/", inbound.base.service(Service::Identity))}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

/// The list of versions.
pub async fn list(inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::json(StatusCode::MULTIPLE_CHOICES, &json!({"versions": {"values": [v3(&inbound)]}})))
}

/// The version.
pub async fn show(inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"version": v3(&inbound)})))
}
