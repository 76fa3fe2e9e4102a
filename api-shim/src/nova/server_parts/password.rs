//! `GET` and `DELETE /servers/{id}/os-server-password`: what the guest has posted, encrypted with the server's key. No
//! guest posts one to this version.

use http::StatusCode;
use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::actions::run::find,
};

/// An empty text, Nova's answer for a guest that posted none.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    find(&inbound, &permit).await?;
    Ok(Reply::ok(&json!({"password": ""})))
}

/// There is none to remove.
pub async fn clear(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    find(&inbound, &permit).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
