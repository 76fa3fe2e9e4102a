//! `evacuate`, for administrators: a server leaves a host that is down, and is made anew elsewhere. The controller does it
//! only once the host is proven dead.

use http::StatusCode;
use ostler_crds::{
    Server,
    server::{ActionType, AdminPassword, ServerAction},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{body, password, run, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    nova::servers::{facts, text},
};

/// From here on the answer is empty.
const EMPTY: Microversion = Microversion(14);

#[derive(Deserialize)]
struct Ask {
    #[serde(default)]
    host: Option<String>,
    #[serde(rename = "adminPass", default)]
    admin_pass: Option<String>,
}

/// Asks for the evacuation. Where to is the scheduler's matter.
pub async fn evacuate(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let ask: Ask = body::read(argument, row.name)?;
    let known = run::find_fit(row, &inbound, &permit).await?;
    if ask.host.is_some() {
        return Err(Fault::not_served("Naming a host in evacuate"));
    }
    if facts::gather(&inbound.app.stores, &known, true).host_status == "UP" {
        let host = known.status.as_ref().and_then(|s| s.host.clone()).unwrap_or_default();
        return Err(Fault::bad_request(format!("Compute service of {host} is still in use.")));
    }
    let password = ask.admin_pass.unwrap_or_else(|| text::random(12));
    let hash = AdminPassword { hash: password::hashed(password.clone()).await? };
    let action = ServerAction { id: Uuid::new_v4().to_string(), type_: ActionType::Evacuate };
    let wish = |server: &mut Server| {
        server.spec.action = Some(action.clone());
        server.spec.admin_password = Some(hash.clone());
        Ok(())
    };
    run::change(row, &inbound, &permit, wish).await?;
    if inbound.version >= EMPTY {
        return Ok(Reply::empty(StatusCode::OK));
    }
    Ok(Reply::ok(&json!({ "adminPass": password })))
}
