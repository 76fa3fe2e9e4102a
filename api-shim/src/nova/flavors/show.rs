//! `GET /flavors/{id}` (spec C-26) and its extra specs.

use std::sync::Arc;

use ostler_crds::Flavor;
use serde_json::json;

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::reads,
};

fn find(inbound: &Inbound, permit: &Permit) -> Result<Arc<Flavor>, Fault> {
    let id = inbound.param("id");
    reads::flavor(&inbound.app.stores, permit, id)
        .ok_or_else(|| Fault::not_found(format!("Flavor {} could not be found.", clean(id))))
}

/// A flavor.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let flavor = find(&inbound, &permit)?;
    Ok(Reply::ok(&json!({"flavor": view::full(&flavor, &inbound.base, inbound.version)})))
}

/// `GET /flavors/{id}/os-extra_specs`.
pub async fn extra_specs(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let flavor = find(&inbound, &permit)?;
    Ok(Reply::ok(&json!({"extra_specs": flavor.spec.extra_specs})))
}

/// `GET /flavors/{id}/os-extra_specs/{key}`.
pub async fn extra_spec(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (flavor, key) = (find(&inbound, &permit)?, inbound.param("key"));
    let value = flavor.spec.extra_specs.get(key);
    let value = value.ok_or_else(|| Fault::not_found(format!("Flavor has no extra specs with key {}.", clean(key))))?;
    Ok(Reply::ok(&json!({key: value})))
}
