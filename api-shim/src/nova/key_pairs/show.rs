//! `GET /os-keypairs/{name}` (spec C-45).

use super::{owner, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// A key pair of the caller, or of the user that an administrator names.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    owner::known_keys(&inbound, false)?;
    let (pair, user) = owner::find(&inbound, &permit).await?;
    Ok(Reply::ok(&view::full(&pair, &user, inbound.version)))
}
