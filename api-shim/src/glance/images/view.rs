//! An image as Glance shows it.

use kube::ResourceExt;
use ostler_crds::{
    Image, OpenStackId,
    image::{ImageState, ImageVisibility},
};
use serde_json::{Map, Value, json};

use crate::{shape::time, store::updated_at};

/// The id of an image; empty for one that never came from an API server.
pub fn id(image: &Image) -> String {
    OpenStackId::of(&image.metadata).map(|i| i.to_string()).unwrap_or_default()
}

/// Annotation of a queued image whose bytes are here and not yet taken: their SHA-256.
pub const STAGED: &str = "compute.ostler.dev/staged";

/// Glance's word for where an image stands.
pub fn status(image: &Image) -> &'static str {
    if image.metadata.deletion_timestamp.is_some() {
        return "pending_delete";
    }
    let is_staged = || image.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(STAGED));
    match image.status.as_ref().and_then(|s| s.state) {
        None | Some(ImageState::Queued) if is_staged() => "uploading",
        None | Some(ImageState::Queued) => "queued",
        Some(ImageState::Saving) => "saving",
        Some(ImageState::Active) if image.spec.deactivated => "deactivated",
        Some(ImageState::Active) => "active",
        Some(ImageState::Killed) => "killed",
    }
}

/// Glance's word for who may see an image.
pub fn visibility(image: &Image) -> &'static str {
    match image.spec.visibility {
        ImageVisibility::Public => "public",
        ImageVisibility::Community => "community",
        ImageVisibility::Shared => "shared",
        ImageVisibility::Private => "private",
    }
}

/// The whole document. Properties lie beside the keys that Glance owns, and never hide one.
pub fn full(image: &Image) -> Value {
    let id = id(image);
    let status_ = image.status.clone().unwrap_or_default();
    let created = image.metadata.creation_timestamp.as_ref().map(|t| time::seconds(t.0));
    let own = json!({
        "id": id, "name": image.display_name(), "status": status(image), "visibility": visibility(image),
        "protected": image.spec.protected, "os_hidden": image.spec.hidden, "owner": image.namespace(),
        "checksum": status_.md5, "os_hash_algo": status_.sha512.as_ref().map(|_| "sha512"),
        "os_hash_value": status_.sha512, "size": status_.size, "virtual_size": status_.virtual_size,
        "disk_format": image.spec.disk_format.as_str(), "container_format": image.spec.container_format,
        "min_disk": image.spec.min_disk_gib, "min_ram": image.spec.min_memory_mib, "tags": image.spec.tags,
        "created_at": created, "updated_at": updated_at(&image.metadata).map(time::seconds),
        "self": format!("/v2/images/{id}"), "file": format!("/v2/images/{id}/file"), "schema": "/v2/schemas/image",
    });
    let mut out: Map<String, Value> = image.spec.properties.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
    if let Value::Object(own) = own {
        out.extend(own);
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_lie_beside_the_keys_and_hide_none() {
        let image: Image = serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image", "metadata": {"name": "x", "namespace": "prod"},
            "spec": {"source": {"upload": {}}, "diskFormat": "qcow2", "properties": {"os_distro": "debian", "owner": "me"}},
        }))
        .unwrap();
        let document = full(&image);
        assert_eq!((&document["os_distro"], &document["owner"]), (&json!("debian"), &json!("prod")));
        assert_eq!((&document["status"], &document["size"]), (&json!("queued"), &Value::Null));
    }
}
