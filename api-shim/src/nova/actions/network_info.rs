//! `injectNetworkInfo` and `resetNetwork`, for administrators. A guest of ours learns of its network by DHCP, its config
//! drive and the metadata service, all of which are always up to date, so there is nothing to inject or to reset.

use http::StatusCode;
use serde_json::Value;

use super::{run, state, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// Looks at the server and accepts.
pub async fn accept(row: &'static Row, inbound: Inbound, permit: Permit, _argument: Value) -> Result<Reply, Fault> {
    let known = run::find_fit(row, &inbound, &permit).await?;
    state::check(&known, row)?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}
