//! From the ids and names of a creation to objects: what is unknown, unusable or does not fit is refused here.

use std::sync::Arc;

use ostler_crds::{
    Flavor, Image, ImageRef, OpenStackId, Server, image::ImageState, security_group::DEFAULT, server::ServerNetwork,
};
use serde_json::Value;

use super::{facts, networks::Wish};
use crate::{
    app::App,
    authorize::Permit,
    fault::Fault,
    observe::clean,
    store::{reads, security_groups},
};

const GIB: u64 = 1 << 30;

/// The last segment of an id or URL.
fn last(reference: &str) -> &str {
    reference.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The flavor of `flavorRef`.
pub fn flavor(app: &App, permit: &Permit, reference: &Value) -> Result<Arc<Flavor>, Fault> {
    let text = match reference {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Fault::invalid_field("server.flavorRef", "It is not of type 'string'.")),
    };
    let found = reads::flavor(&app.stores, permit, last(&text));
    found.ok_or_else(|| Fault::bad_request(format!("Flavor {} could not be found.", clean(&text))))
}

/// The image of `imageRef`, usable and fitting into the flavor; with its reference for the Server.
pub async fn image(app: &App, permit: &Permit, reference: &str, flavor: &Flavor) -> Result<String, Fault> {
    let unknown = || Fault::bad_request(format!("Can not find requested image: {}", clean(reference)));
    let found = reads::image(&app.client, &app.stores, permit, last(reference)).await?;
    let image = found.ok_or_else(unknown)?;
    served(flavor)?;
    fits(&image, flavor.spec.memory_mib, flavor.spec.disk_gib)?;
    let meta = &image.metadata;
    let (Some(namespace), Some(name)) = (meta.namespace.clone(), meta.name.clone()) else { return Err(unknown()) };
    Ok(ImageRef { namespace, name }.text(permit.project()))
}

/// The image of `imageRef` for a server that is there: usable, and fitting into its flavor; as a reference.
pub async fn image_for(app: &App, permit: &Permit, reference: &str, server: &Server) -> Result<String, Fault> {
    let unknown = || Fault::bad_request(format!("Can not find requested image: {}", clean(reference)));
    let found = reads::image(&app.client, &app.stores, permit, last(reference)).await?;
    let image = found.ok_or_else(unknown)?;
    let (memory, disk) = match facts::flavor(&app.stores, server) {
        Some(flavor) => (flavor.memory_mib, flavor.disk_gib),
        None => (u64::MAX, 0),
    };
    fits(&image, memory, disk)?;
    let meta = &image.metadata;
    let (Some(namespace), Some(name)) = (meta.namespace.clone(), meta.name.clone()) else { return Err(unknown()) };
    Ok(ImageRef { namespace, name }.text(server.metadata.namespace.as_deref().unwrap_or_default()))
}

/// A flavor of which this version makes all disks.
pub fn served(flavor: &Flavor) -> Result<(), Fault> {
    if flavor.is_served() {
        return Ok(());
    }
    Err(Fault::bad_request("The flavor asks for an ephemeral or a swap disk, which this version does not make."))
}

/// Whether the image has its bytes, and the flavor room for them. Pure.
fn fits(image: &Image, memory: u64, disk: u64) -> Result<(), Fault> {
    let id = OpenStackId::of(&image.metadata).map(|i| i.to_string()).unwrap_or_default();
    let status = image.status.as_ref().filter(|s| s.state == Some(ImageState::Active));
    let Some(status) = status else {
        return Err(Fault::bad_request(format!("Image {id} is not active.")));
    };
    if let Some(why) = image.obstacle() {
        return Err(Fault::bad_request(format!("Image {id} is unacceptable: no server can start from it: {why}.")));
    }
    if memory < image.spec.min_memory_mib {
        return Err(Fault::bad_request("Flavor's memory is too small for requested image."));
    }
    let needed = image.spec.min_disk_gib.saturating_mul(GIB).max(status.virtual_size.unwrap_or(0));
    if disk > 0 && disk.saturating_mul(GIB) < needed {
        return Err(Fault::bad_request(format!(
            "Flavor's disk is too small for requested image. Flavor disk is {} bytes, image needs {needed} bytes.",
            disk * GIB
        )));
    }
    Ok(())
}

/// `metadata.name` of the key pair.
pub fn key_pair(app: &App, permit: &Permit, name: &str) -> Result<String, Fault> {
    let found =
        reads::key_pair(&app.stores, permit, &permit.caller().user.id(), name).and_then(|k| k.metadata.name.clone());
    found.ok_or_else(|| Fault::bad_request("Invalid key_name provided."))
}

/// The networks; `None` for the default one.
pub fn networks(app: &App, permit: &Permit, wish: Wish) -> Result<Option<Vec<ServerNetwork>>, Fault> {
    let interfaces = match wish {
        Wish::Default => return Ok(None),
        Wish::None => return Ok(Some(Vec::new())),
        Wish::These(interfaces) => interfaces,
    };
    let resolve = |item: super::networks::Interface| {
        let id = item.uuid.unwrap_or_default();
        let network = reads::network(&app.stores, permit, &id);
        let name = network.and_then(|n| n.metadata.name.clone());
        let name = name.ok_or_else(|| Fault::bad_request(format!("Network {} could not be found.", clean(&id))))?;
        Ok(ServerNetwork { name, address: item.fixed_ip })
    };
    interfaces.into_iter().map(resolve).collect::<Result<_, Fault>>().map(Some)
}

/// The zone: one that a Host is in. Naming a host (`zone:host`) is not served.
pub fn zone(app: &App, zone: Option<String>) -> Result<Option<String>, Fault> {
    let Some(zone) = zone else { return Ok(None) };
    if zone.contains(':') {
        return Err(Fault::bad_request("Naming a host in availability_zone is not served by this version."));
    }
    if app.stores.hosts.all().iter().any(|h| h.availability_zone() == zone) {
        return Ok(Some(zone));
    }
    Err(Fault::bad_request("The requested availability zone is not available"))
}

/// `metadata.name` of the groups, by name or id; `None`: `default` alone, as of one that names none.
pub fn security_groups<'a>(
    app: &App,
    permit: &Permit,
    names: impl Iterator<Item = &'a str>,
) -> Result<Option<Vec<String>>, Fault> {
    let mut found = Vec::new();
    for called in names {
        let project = permit.project();
        let name = security_groups::named(&app.stores, project, called)?;
        let unknown =
            || Fault::bad_request(format!("Security group {} not found for project {project}.", clean(called)));
        let name = name.ok_or_else(unknown)?;
        if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(Some(found).filter(|names| !names.is_empty() && *names != [DEFAULT]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object<T: serde::de::DeserializeOwned>(kind: &str, spec: Value, status: Value) -> T {
        serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": kind, "metadata": {"name": "x"},
            "spec": spec, "status": status,
        }))
        .unwrap()
    }

    fn image(spec: Value, status: Value) -> Image {
        let mut full = json!({"source": {"upload": {}}, "diskFormat": "raw"});
        full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        object("Image", full, status)
    }

    #[test]
    fn an_image_must_be_active_and_fit() {
        let fits = |image: &Image| fits(image, 512, 1);
        let active = |size: u64| json!({"state": "active", "virtualSize": size});
        assert!(fits(&image(json!({}), active(GIB))).is_ok());
        assert!(fits(&image(json!({}), json!({"state": "queued"}))).is_err());
        assert!(fits(&image(json!({}), active(GIB + 1))).is_err());
        assert!(fits(&image(json!({"minMemoryMiB": 513}), active(1))).is_err());
        assert!(fits(&image(json!({"minDiskGiB": 2}), active(1))).is_err());
    }

    #[test]
    fn a_flavor_with_disks_that_are_not_made_is_refused() {
        let spec = json!({"vcpus": 1, "memoryMiB": 512, "diskGiB": 1, "swapMiB": 1});
        let swap: Flavor = object("Flavor", spec, Value::Null);
        assert_eq!(served(&swap).unwrap_err().status.as_u16(), 400);
    }

    #[test]
    fn a_reference_is_an_id_or_a_url() {
        assert_eq!(last("http://x/images/abc/"), "abc");
        assert_eq!(last("abc"), "abc");
    }
}
