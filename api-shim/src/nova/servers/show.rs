//! `GET /servers/{id}` (spec C-06).

use serde_json::json;

use super::{
    facts,
    view::{self, Document},
};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::servers,
};

/// A server.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let server = servers::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    let facts = facts::gather(&app.stores, &server, facts::privileged(app, &permit).await?);
    let document = view::full(&server, &facts, &inbound.base, Document::Show, inbound.version);
    Ok(Reply::ok(&json!({ "server": document })))
}
