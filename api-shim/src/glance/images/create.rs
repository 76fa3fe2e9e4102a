//! `POST /v2/images` (spec C-61): an image without bytes.

use http::StatusCode;
use ostler_crds::names::ID_LABEL;
use serde_json::Value;

use super::{convert, update::publish, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::{images, reads::uuid_of, slug},
};

/// Makes a queued image.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let Value::Object(body) = inbound.json().await? else {
        return Err(Fault::bad_request("Malformed request body: an object is expected."));
    };
    let mut image = convert::blank();
    // As in Glance: who shares nothing still may name members later.
    image.spec.visibility = ostler_crds::image::ImageVisibility::Shared;
    for (key, value) in &body {
        match key.as_str() {
            "id" => {
                let id = value.as_str().and_then(uuid_of);
                let id = id.ok_or_else(|| Fault::bad_request("Invalid value for 'id': it is not a UUID."))?;
                image.metadata.labels = Some([(ID_LABEL.to_owned(), id.hyphenated().to_string())].into());
            }
            key => convert::set(&mut image, key, value, true)?,
        }
    }
    publish(&inbound.app, &permit, None, &image).await?;
    image.metadata.name = Some(slug::slug(image.spec.display_name.as_deref().unwrap_or_default(), "image"));
    let app = &inbound.app;
    let image = images::create(&app.client, &app.stores, &permit, image).await?;
    let location = format!("{}/v2/images/{}", inbound.base.service(crate::http::Service::Image), view::id(&image));
    Ok(Reply::json(StatusCode::CREATED, &view::full(&image)).header("location", &location))
}
