//! Images of a project: create, change, delete, and the report on uploaded bytes.

use std::sync::Arc;

use jiff::Timestamp;
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Image, ImageStatus, OpenStackId,
    image::{ImageState, ImageVisibility, MemberStatus},
    names::{SHIM_FIELD_MANAGER, condition, reason},
};
use serde_json::json;

use super::{Stores, reads, refusal, upload::Received, write::Writer};
use crate::{authorize::Permit, fault::Fault};

/// Attempts at the report on an upload while others write too.
const ATTEMPTS: usize = 6;

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
        && !stores.images.by_id(id.uuid()).is_empty()
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

/// What the permit's project, a member of a Shared Image, says to it. Of somebody else's Image this changes nothing else.
pub async fn answer(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    image: Arc<Image>,
    status: Option<MemberStatus>,
) -> Result<Arc<Image>, Fault> {
    let member = permit.project();
    let change = |image: &mut Image| {
        let is_member = image.spec.members.iter().flatten().any(|m| m == member);
        if image.spec.visibility != ImageVisibility::Shared || !is_member {
            return Err(Fault::not_found("The member was not found for this image."));
        }
        match status {
            Some(status) => drop(image.spec.member_status.insert(member.to_owned(), status)),
            None => drop(image.spec.member_status.remove(member)),
        }
        Ok(())
    };
    writer(client, stores).change_anywhere(image, change).await
}

/// Deletes an Image of the permit's project.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, image: &Image) -> Result<(), Fault> {
    writer(client, stores).delete(permit, image).await
}

/// Why the report on an upload was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// The Image was deleted meanwhile.
    Gone,
    /// Another upload was first; its bytes have this SHA-256.
    Late(Option<String>),
    /// It may have been taken or not.
    Failed(Fault),
}

/// Reports that the bytes of an Image are here and were looked at. Of several uploads one is taken; the version in the
/// write makes them exclude each other, so a write of the manager's in between means another attempt.
///
/// No permit is asked for: the caller of an upload has proven more, that its bytes are awaited for this very Image.
pub async fn report(
    client: &Client,
    stores: &Stores,
    image: &Image,
    received: &Received,
) -> Result<Arc<Image>, NotTaken> {
    let api: Api<Image> = Api::namespaced(client.clone(), &image.namespace().unwrap_or_default());
    let name = image.name_any();
    for _ in 0..ATTEMPTS {
        let read = api.get_opt(&name).await.map_err(|e| NotTaken::Failed(refusal::read_fault("Image", &e)))?;
        let own = read.filter(|i| i.uid() == image.uid() && i.metadata.deletion_timestamp.is_none());
        let current = own.ok_or(NotTaken::Gone)?;
        if let Some(status) = current.status.as_ref().filter(|s| s.state == Some(ImageState::Active)) {
            return Err(NotTaken::Late(status.sha256.clone()));
        }
        // Not applied but replaced as a whole: a condition of the manager's ("still waiting") must not stay behind.
        let patch = json!({
            "metadata": {"uid": current.uid(), "resourceVersion": current.resource_version()},
            "status": verified(&current, received, Timestamp::now()),
        });
        let params = PatchParams { field_manager: Some(SHIM_FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match api.patch_status(&name, &params, &Patch::Merge(&patch)).await {
            Ok(written) => return Ok(writer(client, stores).seen(written).await),
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => return Err(NotTaken::Failed(refusal::write_fault("Image", &error))),
        }
    }
    Err(NotTaken::Failed(Fault::conflict("The Image is being changed by others; try again.")))
}

/// Says that bytes of an Image come in.
pub async fn begin(client: &Client, image: &Image) -> Result<(), Fault> {
    let api: Api<Image> = Api::namespaced(client.clone(), &image.namespace().unwrap_or_default());
    let patch = json!({ "metadata": { "uid": image.uid() }, "status": { "state": ImageState::Saving } });
    let params = PatchParams { field_manager: Some(SHIM_FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let begun = api.patch_status(&image.name_any(), &params, &Patch::Merge(&patch)).await;
    begun.map(drop).map_err(|e| refusal::write_fault("Image", &e))
}

/// The status of an Image whose uploaded bytes were looked at.
fn verified(current: &Image, received: &Received, now: Timestamp) -> serde_json::Value {
    let generation = current.metadata.generation.unwrap_or_default();
    let previous = current.status.as_ref().map(|s| s.conditions.as_slice()).unwrap_or_default();
    let (ok, why, message) = match &received.obstacle {
        None => (ConditionStatus::True, reason::VERIFIED, "The bytes were uploaded and inspected.".to_owned()),
        Some(why) => (
            ConditionStatus::False,
            reason::IMAGE_REFUSED,
            format!("{why}; the bytes are kept as they are, and nothing boots from them"),
        ),
    };
    let ready = ConditionBuilder { type_: condition::READY, status: ok, reason: why, message: message.clone() };
    let stalled = received.obstacle.as_ref().map(|_| ConditionBuilder {
        type_: condition::STALLED,
        status: ConditionStatus::True,
        reason: why,
        message,
    });
    let digests = &received.digests;
    let status = ImageStatus {
        observed_generation: Some(generation),
        state: Some(ImageState::Active),
        sha256: Some(digests.sha256.clone()),
        sha512: Some(digests.sha512.clone()),
        md5: Some(digests.md5.clone()),
        size: Some(digests.size),
        virtual_size: received.virtual_size,
        progress: None,
        conditions: std::iter::once(ready).chain(stalled).map(|c| c.build(generation, previous, now)).collect(),
    };
    let mut status = json!(status);
    status["progress"] = serde_json::Value::Null;
    status
}
