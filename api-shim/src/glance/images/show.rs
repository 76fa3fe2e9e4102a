//! `GET /v2/images/{id}` (spec C-58).

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::images,
};

/// An image.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let image = images::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&view::full(&image)))
}
