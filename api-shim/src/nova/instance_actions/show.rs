//! `GET /servers/{id}/os-instance-actions/{request_id}`.

use serde_json::json;

use super::{list, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::servers::facts,
};

/// One event with its steps.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let server = list::server(&inbound, &permit).await?;
    let asked = inbound.param("request");
    let event = view::events(&inbound.app.stores, &server).into_iter().find(|e| e.record.request == asked);
    let event = event.ok_or_else(|| Fault::not_found(format!("Action {} not found", crate::observe::clean(asked))))?;
    let privileged = facts::privileged(&inbound.app, &permit).await?;
    Ok(Reply::ok(&json!({"instanceAction": view::full(&server, &event, privileged, inbound.version)})))
}
