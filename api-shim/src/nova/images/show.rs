//! `GET /images/{id}` (spec C-29).

use serde_json::json;

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::images,
};

/// An image.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let image = images::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"image": view::full(&image, &inbound.base)})))
}
