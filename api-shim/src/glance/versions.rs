//! Version documents (spec C-63): `GET /image` (300) and `GET /image/versions` (200).

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    http::{Inbound, Reply, Service},
};

fn document(inbound: &Inbound) -> Value {
    let href = format!("{}/v2/", inbound.base.service(Service::Image));
    let version =
        |id: &str, status: &str| json!({"id": id, "status": status, "links": [{"rel": "self", "href": href}]});
    let older = ["v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"].map(|id| version(id, "SUPPORTED"));
    let versions: Vec<Value> = [version("v2.9", "CURRENT")].into_iter().chain(older).collect();
    json!({ "versions": versions })
}

/// The versions as a choice.
pub async fn choices(inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::json(StatusCode::MULTIPLE_CHOICES, &document(&inbound)))
}

/// The versions as a list.
pub async fn list(inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::ok(&document(&inbound)))
}
