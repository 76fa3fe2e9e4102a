//! `POST /v2/images/{id}/actions/…`: an image that is deactivated keeps its bytes, and nobody gets them.

use http::StatusCode;
use ostler_crds::Image;

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::images,
};

/// Nobody downloads it or boots from it any more.
pub async fn deactivate(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    set(&inbound, &permit, true).await
}

/// It is usable again.
pub async fn reactivate(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    set(&inbound, &permit, false).await
}

async fn set(inbound: &Inbound, permit: &Permit, deactivated: bool) -> Result<Reply, Fault> {
    let app = &inbound.app;
    images::change(&app.client, &app.stores, permit, inbound.param("id"), |image: &mut Image| {
        match view::status(image) {
            "active" | "deactivated" => {
                image.spec.deactivated = deactivated;
                Ok(())
            }
            status => {
                let word = if deactivated { "deactivate" } else { "reactivate" };
                Err(Fault::forbidden(format!("Not allowed to {word} image in status '{status}'.")))
            }
        }
    })
    .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
