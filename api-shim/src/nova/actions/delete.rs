//! `forceDelete` and `restore`. This version puts nothing aside before it deletes, so the one is a deletion, and the other
//! finds nothing.

use http::StatusCode;
use ostler_crds::Server;
use serde_json::Value;

use super::table::Row;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::servers::delete,
};

/// Deletes the server.
pub async fn force(row: &'static Row, inbound: Inbound, permit: Permit, _argument: Value) -> Result<Reply, Fault> {
    delete::go(row, &inbound, &permit).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// `restore`: the state that it needs is one that no server is ever in.
pub fn restore(_server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    Err(Fault::not_served("The action restore"))
}
