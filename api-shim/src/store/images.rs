//! Images of a project: create, change, delete, and the report on uploaded bytes.

use std::sync::Arc;

use jiff::Timestamp;
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Image, ImageStatus, OpenStackId,
    image::ImageState,
    names::{SHIM_FIELD_MANAGER, condition, reason},
};
use serde_json::json;

use super::{Stores, reads, refusal, upload::Received, write::Writer};
use crate::{authorize::Permit, fault::Fault};

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> Writer<'a, Image> {
    Writer { client, cache: &stores.images, what: "Image" }
}

fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Failed to find image {} to show or change.", crate::observe::clean(id)))
}

/// An Image that the permit's project may use, or Glance's 404.
pub async fn find(client: &Client, stores: &Stores, permit: &Permit, id: &str) -> Result<Arc<Image>, Fault> {
    reads::image(client, stores, permit, id).await?.ok_or_else(|| missing(id))
}

/// An Image that is the permit's project's own: 404 if unseen, 403 if somebody else's.
pub async fn find_own(client: &Client, stores: &Stores, permit: &Permit, id: &str) -> Result<Arc<Image>, Fault> {
    let image = find(client, stores, permit, id).await?;
    if image.namespace().as_deref() == Some(permit.project()) {
        return Ok(image);
    }
    Err(Fault::forbidden("You are not permitted to change this image: it belongs to another project."))
}

/// Creates an Image in the permit's project. 409 if its id is taken.
pub async fn create(client: &Client, stores: &Stores, permit: &Permit, image: Image) -> Result<Arc<Image>, Fault> {
    // Only an id that the client chose is known before the API server gives a uid.
    if let Ok(id) = OpenStackId::of(&image.metadata)
        && stores.images.by_id(id.uuid()).is_some()
    {
        return Err(Fault::conflict(format!("Image ID {id} already exists!")));
    }
    writer(client, stores).create(permit, image).await
}

/// Changes an Image of the permit's project.
pub async fn change(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    id: &str,
    change: impl Fn(&mut Image) -> Result<(), Fault>,
) -> Result<Arc<Image>, Fault> {
    let known = find_own(client, stores, permit, id).await?;
    writer(client, stores).change(permit, known, change).await
}

/// Deletes an Image of the permit's project.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, image: &Image) -> Result<(), Fault> {
    writer(client, stores).delete(permit, image).await
}

/// Reports that the bytes of an Image are here and were looked at. 409 if another upload was first.
pub async fn report(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    image: &Image,
    received: &Received,
) -> Result<Arc<Image>, Fault> {
    let api: Api<Image> = Api::namespaced(client.clone(), permit.project());
    let fault = |e: kube::Error| refusal::write_fault("Image", &e);
    let current = api.get(&image.name_any()).await.map_err(fault)?;
    if current.uid() != image.uid() || current.metadata.deletion_timestamp.is_some() {
        return Err(Fault::new(http::StatusCode::GONE, "The image was deleted during the upload."));
    }
    if current.status.as_ref().is_some_and(|s| s.state == Some(ImageState::Active)) {
        return Err(Fault::conflict("The image has its data already."));
    }
    let generation = current.metadata.generation.unwrap_or_default();
    let previous = current.status.as_ref().map(|s| s.conditions.as_slice()).unwrap_or_default();
    let ready = ConditionBuilder {
        type_: condition::READY,
        status: ConditionStatus::True,
        reason: reason::VERIFIED,
        message: "The bytes were uploaded and inspected.".to_owned(),
    };
    let status = ImageStatus {
        observed_generation: Some(generation),
        state: Some(ImageState::Active),
        sha256: Some(received.sha256.clone()),
        sha512: Some(received.sha512.clone()),
        md5: Some(received.md5.clone()),
        size: Some(received.size),
        virtual_size: Some(received.virtual_size),
        progress: None,
        conditions: vec![ready.build(generation, previous, Timestamp::now())],
    };
    let patch = json!({
        "apiVersion": format!("{}/{}", ostler_crds::GROUP, ostler_crds::VERSION),
        "kind": "Image",
        // The version makes two uploads exclude each other.
        "metadata": {"name": image.name_any(), "resourceVersion": current.resource_version()},
        "status": status,
    });
    let params = PatchParams::apply(SHIM_FIELD_MANAGER).force();
    let written = api.patch_status(&image.name_any(), &params, &Patch::Apply(&patch)).await.map_err(fault)?;
    Ok(writer(client, stores).seen(written).await)
}
