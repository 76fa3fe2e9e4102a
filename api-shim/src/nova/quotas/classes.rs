//! `/os-quota-class-sets/{id}`: the limits of all projects that say nothing. There is one class, `default`.

use ostler_crds::quota::CLASS_DEFAULT;
use serde_json::json;

use super::{view, wire};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::quotas::{self, Quotas},
};

const ONLY: &str = "default";

fn only(inbound: &Inbound) -> Result<(), Fault> {
    if inbound.param("id") == ONLY {
        return Ok(());
    }
    Err(Fault::not_found("This version has one quota class, default."))
}

/// The limits of the class.
pub async fn show(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    only(&inbound)?;
    let quotas = Quotas::class(&inbound.app.stores);
    let mut document = view::class(|r| quotas.limit(r), inbound.version);
    document["id"] = ONLY.into();
    Ok(Reply::ok(&json!({ "quota_class_set": document })))
}

/// Changes them.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    only(&inbound)?;
    let body = inbound.json_under("quota_class_set").await?;
    let change = wire::read(&body, "quota_class_set", inbound.version)?;
    let app = &inbound.app;
    quotas::change(&app.client, &app.stores, &permit, CLASS_DEFAULT, None, &change.limits).await?;
    let quotas = Quotas::class(&app.stores);
    Ok(Reply::ok(&json!({"quota_class_set": view::class(|r| quotas.limit(r), inbound.version)})))
}
