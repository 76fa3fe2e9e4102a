//! `createImage` (spec C-23): an Image whose source is the Server. The controller makes its bytes.

use http::StatusCode;
use jiff::Timestamp;
use kube::ResourceExt;
use ostler_crds::{
    Image, OpenStackId, Server,
    image::{DiskFormat, ImageSource, ImageState, ServerSource},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{body, run, table::Row};
use crate::{
    authorize::{Permit, Rule},
    fault::Fault,
    glance::images::convert::blank,
    http::{Inbound, Microversion, Reply, Service},
    nova::{
        instance_actions::record::{self, Record},
        servers::{facts, text, view},
    },
    store::{Stores, images, slug},
};

/// From here on the answer names the image, and no header does.
const IN_BODY: Microversion = Microversion(45);
/// Making an image of a server makes an image.
const MAKE_IMAGE: Rule = Rule::on("create", "images");

#[derive(Deserialize)]
struct Ask {
    name: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Asks for an image of the server's disk.
pub async fn create(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let ask: Ask = body::read(argument, row.name)?;
    text::name_at("createImage.name", &ask.name)?;
    let mut properties = text::metadata(&ask.metadata)?;
    text::metadata_count(&properties)?;
    properties.entry("image_type".to_owned()).or_insert_with(|| "snapshot".to_owned());
    let image = make(row, &inbound, &permit, &ask.name, properties.into_iter().collect()).await?;
    answer(&inbound, &image)
}

/// The image's id, where this version looks for it.
pub fn answer(inbound: &Inbound, image: &Image) -> Result<Reply, Fault> {
    let id = OpenStackId::of(&image.metadata).map_err(|e| Fault::internal("id of a new image", &e))?;
    if inbound.version >= IN_BODY {
        return Ok(Reply::json(StatusCode::ACCEPTED, &json!({"image_id": id.to_string()})));
    }
    let location = format!("{}/images/{id}", inbound.base.service(Service::Image));
    Ok(Reply::empty(StatusCode::ACCEPTED).header("location", &location))
}

/// Makes the Image, with the server's event on it: that is the one write of this action.
pub async fn make(
    row: &Row,
    inbound: &Inbound,
    permit: &Permit,
    name: &str,
    properties: Vec<(String, String)>,
) -> Result<std::sync::Arc<Image>, Fault> {
    let app = &inbound.app;
    let server = run::find_fit(row, inbound, permit).await?;
    if !app.authorizer.may_also(permit, MAKE_IMAGE).await? {
        return Err(Fault::forbidden(format!(
            "Policy does not allow this operation: it needs permission to {MAKE_IMAGE}."
        )));
    }
    if is_being_copied(&app.stores, &server) {
        let id = view::id(&server);
        return Err(Fault::conflict(format!(
            "Cannot '{}' instance {id} while it is in task_state image_snapshot",
            row.verb
        )));
    }
    let mut image = image(&server, &app.stores, name, &permit.caller().user.id());
    image.spec.properties.extend(properties);
    record::note(&mut image.metadata, &Record::new(row.verb, inbound, permit, Timestamp::now()));
    images::create(&app.client, &app.stores, permit, image).await
}

/// Images that were asked for of this very Server.
pub fn of(stores: &Stores, server: &Server) -> Vec<std::sync::Arc<Image>> {
    let mut images = stores.images.in_namespace(server.metadata.namespace.as_deref().unwrap_or_default());
    let id = view::id(server);
    images.retain(|i| {
        i.spec.source.server.as_ref().is_some_and(|s| s.name == server.name_any())
            && i.spec.properties.get("instance_uuid") == Some(&id)
    });
    images
}

/// Whether an image of it is still being made.
fn is_being_copied(stores: &Stores, server: &Server) -> bool {
    let is_open = |i: &Image| {
        let state = i.status.as_ref().and_then(|s| s.state);
        i.metadata.deletion_timestamp.is_none() && !matches!(state, Some(ImageState::Active | ImageState::Killed))
    };
    of(stores, server).iter().any(|i| is_open(i))
}

/// The Image with Nova's properties of a snapshot.
fn image(server: &Server, stores: &Stores, name: &str, creator: &str) -> Image {
    let mut image = blank();
    image.metadata.name = Some(slug::slug(name, "image"));
    let spec = &mut image.spec;
    spec.display_name = Some(name.to_owned());
    spec.source = ImageSource { server: Some(ServerSource { name: server.name_any() }), ..ImageSource::default() };
    spec.disk_format = DiskFormat::Qcow2;
    spec.min_disk_gib = facts::flavor(stores, server).map_or(0, |f| f.disk_gib);
    let own = [
        ("instance_uuid", Some(view::id(server))),
        ("base_image_ref", facts::image(stores, server)),
        ("user_id", Some(creator.to_owned())),
        ("image_location", Some("snapshot".to_owned())),
    ];
    spec.properties.extend(own.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?))));
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c23_an_image_of_a_server_carries_novas_properties() {
        let mut server = Server::new("web", Default::default());
        server.metadata.uid = Some(uuid::Uuid::from_u128(7).to_string());
        let image = image(&server, &Stores::empty(), "My snapshot", "u");
        assert_eq!(image.metadata.name.as_deref(), Some("my-snapshot"));
        assert_eq!(image.spec.source.server.as_ref().map(|s| s.name.as_str()), Some("web"));
        assert_eq!(image.spec.properties["instance_uuid"], uuid::Uuid::from_u128(7).to_string());
        assert_eq!(image.spec.properties["user_id"], "u");
        assert!(image.spec.source.upload.is_none());
    }
}
