//! `DELETE /v2/images/{id}` (spec C-60).

use http::StatusCode;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::images,
};

/// Removes an image. Its bytes go when the deletion is seen, whichever front asked for it.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let image = images::find_own(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    if image.spec.protected {
        return Err(Fault::forbidden("Image is protected and cannot be deleted."));
    }
    images::delete(&app.client, &app.stores, &permit, &image).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
