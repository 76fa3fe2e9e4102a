//! `GET /flavors/{id}` (spec C-26).

use std::sync::Arc;

use ostler_crds::Flavor;
use serde_json::json;

use super::view;
use crate::{
    authorize::{Permit, rule::common},
    fault::Fault,
    http::{Inbound, Reply},
    store::{flavors, reads},
};

/// A flavor that the project may use, or any for an administrator.
pub(super) async fn find(inbound: &Inbound, permit: &Permit) -> Result<Arc<Flavor>, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    match reads::flavor(&app.stores, permit, id) {
        Some(flavor) => Ok(flavor),
        None if app.authorizer.may_also(permit, common::ADMIN).await? => flavors::find_any(&app.stores, permit, id),
        None => Err(flavors::missing(id)),
    }
}

/// A flavor.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let flavor = find(&inbound, &permit).await?;
    Ok(Reply::ok(&json!({"flavor": view::full(&flavor, &inbound.base, inbound.version)})))
}
