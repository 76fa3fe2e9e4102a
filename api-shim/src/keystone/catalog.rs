//! `GET /v3/auth/catalog`.

use serde_json::json;

use super::view;
use crate::{
    authenticate::Caller,
    fault::Fault,
    http::{Inbound, Reply, Service},
};

/// The catalog of a token with a scope.
pub async fn show(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    if caller.project.is_none() && caller.reach().is_none() {
        return Err(Fault::forbidden("The catalog is for tokens with a scope."));
    }
    let own = format!("{}/v3/auth/catalog", inbound.base.service(Service::Identity));
    let links = json!({"self": own, "previous": null, "next": null});
    Ok(Reply::ok(&json!({"catalog": view::catalog(&inbound), "links": links})))
}
