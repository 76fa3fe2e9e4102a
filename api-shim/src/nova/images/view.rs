//! An image as Nova shows it.

use ostler_crds::Image;
use serde_json::{Value, json};

use crate::{
    glance::images::view as glance,
    http::BaseUrl,
    shape::{links, time},
    store::updated_at,
};

/// Property of a snapshot: the id of the server that it was made from.
const INSTANCE: &str = "instance_uuid";

/// Nova's word for where an image stands, and its percentage (compute-v2 §11).
pub fn status(image: &Image) -> (&'static str, u8) {
    match glance::status(image) {
        "active" => ("ACTIVE", 100),
        "queued" | "uploading" => ("SAVING", 25),
        "saving" | "importing" => ("SAVING", 50),
        "deleted" | "pending_delete" => ("DELETED", 0),
        "killed" => ("ERROR", 0),
        _ => ("UNKNOWN", 0),
    }
}

/// The id of the server that it was made from.
pub fn server(image: &Image) -> Option<&str> {
    image.spec.properties.get(INSTANCE).map(String::as_str)
}

fn links_of(image: &Image, base: &BaseUrl) -> Value {
    let id = glance::id(image);
    let mut all = links::both(base, "images", &id);
    if let Value::Array(all) = &mut all {
        let href = format!("{}/v2/images/{id}", base.service(crate::http::Service::Image));
        all.push(json!({"rel": "alternate", "type": "application/vnd.openstack.image", "href": href}));
    }
    all
}

/// Id, name and links.
pub fn brief(image: &Image, base: &BaseUrl) -> Value {
    json!({"id": glance::id(image), "name": image.display_name(), "links": links_of(image, base)})
}

/// Everything.
pub fn full(image: &Image, base: &BaseUrl) -> Value {
    let (status, progress) = status(image);
    let mut document = brief(image, base);
    document["status"] = status.into();
    document["progress"] = progress.into();
    document["minDisk"] = image.spec.min_disk_gib.into();
    document["minRam"] = image.spec.min_memory_mib.into();
    document["metadata"] = json!(image.spec.properties);
    document["OS-EXT-IMG-SIZE:size"] = image.status.as_ref().and_then(|s| s.size).into();
    document["created"] = image.metadata.creation_timestamp.as_ref().map(|t| time::seconds(t.0)).into();
    document["updated"] = updated_at(&image.metadata).map(time::seconds).into();
    if let Some(server) = server(image) {
        document["server"] = json!({"id": server, "links": links::both(base, "servers", server)});
    }
    document
}
