//! `PUT` and `GET /v2/images/{id}/file` (spec C-62, N-04).

use http::{StatusCode, header};
use ostler_crds::{Image, image::ImageState};

use super::view;
use crate::{
    app::App,
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::{
        images::{self, NotTaken},
        upload::{self, Received},
    },
    streams,
};

/// Receives the bytes of a queued image.
pub async fn put(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let kind = inbound.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "application/octet-stream" {
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Use the media type application/octet-stream."));
    }
    let body = inbound.take_body();
    let app = inbound.app.clone();
    let image = images::find_own(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    check(&image)?;
    announced(&inbound, app.files.limit())?;
    let uid = image.metadata.uid.as_deref().ok_or_else(|| Fault::internal("image uid", &"it is missing"))?;
    let received = upload::receive(&app.files, uid, &image.spec, body).await?;
    taken(&app, &image, uid, &received).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Reports that bytes are the image's, or takes them away again.
pub(super) async fn taken(app: &App, image: &Image, uid: &str, received: &Received) -> Result<(), Fault> {
    match images::report(&app.client, &app.stores, image, received).await {
        Ok(_) => Ok(()),
        Err(NotTaken::Gone) => {
            app.files.remove(uid).await;
            Err(Fault::new(StatusCode::GONE, "The image was deleted during the upload."))
        }
        Err(NotTaken::Late(first)) => {
            if first.as_ref() != Some(&received.digests.sha256) {
                app.files.discard(uid, &received.digests.sha256).await;
            }
            Err(Fault::conflict("The image has its data already."))
        }
        // Whether the report was taken is not known, so the bytes stay; they go with the image.
        Err(NotTaken::Failed(fault)) => Err(fault),
    }
}

/// Its bytes come by an upload.
pub(super) fn awaits_upload(image: &Image) -> Result<(), Fault> {
    if image.spec.source.upload.is_some() {
        return Ok(());
    }
    Err(Fault::conflict("The bytes of this image come from the source that it names, not from an upload."))
}

/// Only a queued image that awaits an upload takes bytes.
fn check(image: &Image) -> Result<(), Fault> {
    awaits_upload(image)?;
    match view::status(image) {
        "queued" => Ok(()),
        status => Err(Fault::conflict(format!("The image has status {status}: only a queued one takes data."))),
    }
}

/// An upload that says that it is too large is refused before it is read.
pub(super) fn announced(inbound: &Inbound, limit: u64) -> Result<(), Fault> {
    let length =
        ["content-length", "x-openstack-image-size"].into_iter().find_map(|h| inbound.header(h)?.parse::<u64>().ok());
    if length.is_some_and(|l| l > limit) {
        let message = format!("The image is larger than the limit of {limit} bytes.");
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(())
}

/// Sends the bytes of an image that was uploaded or made of a server; 204 while there are none.
pub async fn get(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let image = images::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    if image.spec.deactivated {
        return Err(Fault::forbidden("The requested image has been deactivated. Image data download is forbidden."));
    }
    if !image.spec.source.kept_by_front() {
        return Err(Fault::not_served("Downloading an image that hosts fetch from its own source"));
    }
    let status = image.status.as_ref().filter(|s| s.state == Some(ImageState::Active));
    let Some(sha256) = status.and_then(|s| s.sha256.as_deref()) else {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    };
    let uid = image.metadata.uid.as_deref().unwrap_or_default();
    let response = streams::images::open(app, uid, sha256).await?;
    let length = response.headers().get(header::CONTENT_LENGTH).cloned();
    let mut reply = Reply::bytes(response.into_body());
    if let Some(md5) = status.and_then(|s| s.md5.as_deref()) {
        reply = reply.header("content-md5", md5);
    }
    if let Some(length) = length.as_ref().and_then(|l| l.to_str().ok()) {
        reply = reply.header("content-length", length);
    }
    Ok(reply)
}
