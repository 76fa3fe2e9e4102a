//! `PUT` and `DELETE /v2/images/{id}/tags/{tag}`.

use http::StatusCode;
use ostler_crds::Image;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::images,
};

/// Adds a tag; one that is there already is fine.
pub async fn add(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (app, tag) = (&inbound.app, inbound.param("tag"));
    if tag.is_empty() || tag.chars().count() > 255 {
        return Err(Fault::bad_request("A tag must have 1 to 255 characters."));
    }
    let change = |image: &mut Image| {
        if !image.spec.tags.iter().any(|t| t == tag) {
            image.spec.tags.push(tag.to_owned());
        }
        Ok(())
    };
    images::change(&app.client, &app.stores, &permit, inbound.param("id"), change).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Removes a tag.
pub async fn remove(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (app, tag) = (&inbound.app, inbound.param("tag"));
    let change = |image: &mut Image| {
        let before = image.spec.tags.len();
        image.spec.tags.retain(|t| t != tag);
        if image.spec.tags.len() < before { Ok(()) } else { Err(Fault::not_found("Tag not found.")) }
    };
    images::change(&app.client, &app.stores, &permit, inbound.param("id"), change).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
