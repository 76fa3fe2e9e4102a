//! Shelved Servers: the image that they are kept as, and the host that lets go of them. What is decided is in
//! [`ostler_engine::shelve`]; placing them anew is placing (see `place`).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, PostParams, Preconditions},
};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Image, ImageSpec, Server, ServerStatus, find_condition,
    image::{DiskFormat, ImageSource, ImageVisibility, ServerSource},
    names::{SHELF_GENERATION_LABEL, SHELF_LABEL, condition, reason},
    set_condition,
};
use ostler_engine::{
    placement::manager_part,
    shelve::{Next, next},
    snapshot::Why,
};

use super::{Context, write};
use crate::common::crash;

/// Longest name of an object.
const NAME: usize = 253;

/// Does what is to be done about a Server's shelf. Says whether more may follow soon.
pub async fn tend(context: &Context, server: &Server, image: Option<&Image>) -> Result<bool, write::Error> {
    if !context.leadership.holds() {
        return Err(write::Error::NotLeading);
    }
    let next = next(server, image);
    let status = server.status.clone().unwrap_or_default();
    let said = find_condition(&status.conditions, condition::SHELVED);
    match next {
        Next::Nothing => {
            let over = said.is_some() && server.spec.power_state != ostler_crds::server::PowerState::Shelved;
            if over {
                write::server_status(context, server, &part(&status, |_| {})).await?;
            }
            return Ok(over);
        }
        Next::MakeImage => make(context, server).await?,
        Next::Discard => discard(context, image).await?,
        Next::Say(why) => return say(context, server, &status, &why).await,
        Next::Commit(shelf) => {
            let committed = part(&status, |s| {
                s.shelf = Some(*shelf);
                s.snapshots.clear();
            });
            write::server_status(context, server, &committed).await?;
        }
        Next::LetGo => {
            let free = part(&status, |s| {
                s.host = None;
                if let Some(shelf) = &mut s.shelf {
                    shelf.host = None;
                }
                s.conditions.clear();
            });
            write::server_status(context, server, &free).await?;
            let note = "off its host, kept as an image; any other spec.powerState brings it back";
            context.events.normal(&server.object_ref(&()), reason::SHELVED, "Shelve", note.to_owned()).await;
        }
        Next::Forget => {
            // The image goes first: without the shelf nobody would remember it.
            discard(context, image).await?;
            write::server_status(context, server, &part(&status, |s| s.shelf = None)).await?;
        }
    }
    Ok(true)
}

/// Removes an image whose Server is gone. The garbage collector does the same; a bare control plane has none.
pub async fn remove(context: &Context, image: &Image) -> Result<(), write::Error> {
    discard(context, Some(image)).await
}

/// The manager's part of a status, changed, and without a word about shelving that failed.
fn part(status: &ServerStatus, change: impl FnOnce(&mut ServerStatus)) -> ServerStatus {
    let mut next = manager_part(status);
    next.conditions.retain(|c| c.type_ != condition::SHELVED);
    change(&mut next);
    next
}

async fn say(context: &Context, server: &Server, status: &ServerStatus, why: &Why) -> Result<bool, write::Error> {
    let known = find_condition(&status.conditions, condition::SHELVED);
    if known.is_some_and(|c| c.reason == why.reason && c.message == why.message) {
        return Ok(false);
    }
    let said = ConditionBuilder {
        type_: condition::SHELVED,
        status: ConditionStatus::False,
        reason: why.reason,
        message: why.message.clone(),
    };
    let said = said.build(server.meta().generation.unwrap_or_default(), &status.conditions, jiff::Timestamp::now());
    write::server_status(context, server, &part(status, |s| set_condition(&mut s.conditions, said))).await?;
    context.events.warning(&server.object_ref(&()), why.reason, "Shelve", why.message.clone()).await;
    Ok(true)
}

async fn make(context: &Context, server: &Server) -> Result<(), write::Error> {
    let api = Api::<Image>::namespaced(context.client.clone(), &server.namespace().unwrap_or_default());
    match api.create(&PostParams::default(), &image(server)).await {
        // Made a moment ago; the watch is late.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        other => {
            other?;
            crash::point("shelf made");
            Ok(())
        }
    }
}

fn image(server: &Server) -> Image {
    let uid = server.uid().unwrap_or_default();
    let suffix = format!("-shelved-{}", uid.get(..8).unwrap_or_default());
    let stem: String = server.name_any().chars().take(NAME - suffix.len()).collect();
    let spec = ImageSpec {
        display_name: Some(format!("{}-shelved", server.display_name()).chars().take(255).collect()),
        source: ImageSource { server: Some(ServerSource { name: server.name_any() }), ..ImageSource::default() },
        disk_format: DiskFormat::Qcow2,
        container_format: "bare".to_owned(),
        min_disk_gib: 0,
        min_memory_mib: 0,
        properties: [("image_type".to_owned(), "snapshot".to_owned()), ("instance_uuid".to_owned(), id(server))].into(),
        tags: Vec::new(),
        protected: true,
        hidden: false,
        visibility: ImageVisibility::Private,
        members: None,
        member_status: Default::default(),
        deactivated: false,
    };
    let mut image = Image::new(&format!("{stem}{suffix}"), spec);
    image.metadata.namespace = server.namespace();
    let generation = server.meta().generation.unwrap_or_default().to_string();
    image.metadata.labels =
        Some([(SHELF_LABEL.to_owned(), uid.clone()), (SHELF_GENERATION_LABEL.to_owned(), generation)].into());
    image.metadata.owner_references = Some(vec![OwnerReference {
        api_version: Server::api_version(&()).into_owned(),
        kind: Server::kind(&()).into_owned(),
        name: server.name_any(),
        uid,
        ..OwnerReference::default()
    }]);
    image
}

fn id(server: &Server) -> String {
    ostler_crds::OpenStackId::of(server.meta()).map(|id| id.to_string()).unwrap_or_default()
}

async fn discard(context: &Context, image: Option<&Image>) -> Result<(), write::Error> {
    let Some(image) = image.filter(|i| i.meta().deletion_timestamp.is_none()) else { return Ok(()) };
    let api = Api::<Image>::namespaced(context.client.clone(), &image.namespace().unwrap_or_default());
    let very = Preconditions { uid: image.uid(), resource_version: None };
    let params = DeleteParams { preconditions: Some(very), ..DeleteParams::default() };
    match api.delete(&image.name_any(), &params).await {
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(()),
        other => {
            other.map(drop)?;
            crash::point("shelf deleted");
            Ok(())
        }
    }
}
