//! The other way to bring bytes: `PUT /v2/images/{id}/stage`, then `POST /v2/images/{id}/import` (glance-direct).

use http::{StatusCode, header};
use ostler_crds::Image;
use serde_json::{Value, json};

use super::{file, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::{images, upload},
};

/// The only method that this version has.
const METHOD: &str = "glance-direct";

/// `GET /v2/info/import`.
pub async fn methods(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"import-methods": {
        "description": "Import methods available.", "type": "array", "value": [METHOD],
    }})))
}

/// `GET /v2/info/stores`: there is one, and it has no name.
pub async fn stores(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_found("Multi backend is not supported at this site."))
}

/// `GET /v2/images/{id}/tasks`: an import is done when it is answered, so none is ever under way.
pub async fn tasks(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    images::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"tasks": []})))
}

fn is_empty(image: &Image, wanted: &str) -> Result<(), Fault> {
    match view::status(image) {
        status if status == wanted => Ok(()),
        status => Err(Fault::conflict(format!("Image status is {status}, not {wanted}."))),
    }
}

/// Receives bytes, and leaves them aside.
pub async fn stage(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let kind = inbound.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "application/octet-stream" {
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Use the media type application/octet-stream."));
    }
    let body = inbound.take_body();
    let app = inbound.app.clone();
    let image = images::find_own(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    file::awaits_upload(&image)?;
    is_empty(&image, "queued")?;
    file::announced(&inbound, app.files.limit())?;
    let uid = image.metadata.uid.as_deref().ok_or_else(|| Fault::internal("image uid", &"it is missing"))?;
    let sha256 = upload::stage(&app.files, uid, body).await?;
    images::change(&app.client, &app.stores, &permit, inbound.param("id"), |image| {
        is_empty(image, "queued")?;
        image.metadata.annotations.get_or_insert_default().insert(view::STAGED.to_owned(), sha256.clone());
        Ok(())
    })
    .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Takes the staged bytes.
pub async fn import(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json().await?;
    let method = body.pointer("/method/name").and_then(Value::as_str);
    let app = inbound.app.clone();
    let image = images::find_own(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    match method {
        Some(METHOD) => is_empty(&image, "uploading")?,
        Some(other) => {
            let message = format!("Unknown import method name '{}': this version has {METHOD}.", clean(other));
            return Err(Fault::bad_request(message));
        }
        None => return Err(Fault::bad_request("'method' with a 'name' is a required property")),
    }
    let staged = image.metadata.annotations.as_ref().and_then(|a| a.get(view::STAGED)).cloned().unwrap_or_default();
    let uid = image.metadata.uid.as_deref().ok_or_else(|| Fault::internal("image uid", &"it is missing"))?;
    let received = upload::unstage(&app.files, uid, &staged, &image.spec).await?;
    file::taken(&app, &image, uid, &received).await?;
    images::change(&app.client, &app.stores, &permit, inbound.param("id"), |image| {
        if let Some(annotations) = &mut image.metadata.annotations {
            annotations.remove(view::STAGED);
        }
        Ok(())
    })
    .await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}
