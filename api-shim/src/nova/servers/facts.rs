//! What a server's document needs beside the Server itself: ids and names of what it refers to.

use ostler_crds::{Host, OpenStackId, Server, server::ResolvedFlavor, server::state};
use sha2::{Digest, Sha224};

use crate::{
    app::App,
    authorize::{Permit, Scope, rule::common},
    fault::Fault,
    store::Stores,
};

/// What a document needs beside the Server.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// OpenStack id of the image; `None`: unknown.
    pub image: Option<String>,
    /// The flavor as it was when the Server was placed, or as it is now.
    pub flavor: Option<ResolvedFlavor>,
    /// Availability zone.
    pub zone: String,
    /// OpenStack name of the key pair.
    pub key_name: Option<String>,
    /// Name of the host, for those who may see it.
    pub host: Option<String>,
    /// Whether the caller sees what only administrators see.
    pub privileged: bool,
}

/// Whether the caller sees what only administrators see, of everything that the permit shows.
pub async fn privileged(app: &App, permit: &Permit) -> Result<bool, Fault> {
    let rule = match permit.rule().scope {
        Scope::Project => common::SEE_HOST,
        Scope::Cluster => common::SEE_HOST.everywhere(),
    };
    app.authorizer.may_also(permit, rule).await
}

/// Gathers them from memory.
pub fn gather(stores: &Stores, server: &Server, privileged: bool) -> Facts {
    let host = server.status.as_ref().and_then(|s| s.host.clone());
    let zone_of = |name: &String| stores.hosts.get(None, name).map(|h| Host::availability_zone(&h).to_owned());
    Facts {
        image: image(stores, server),
        flavor: flavor(stores, server),
        zone: host.as_ref().and_then(zone_of).or_else(|| server.spec.availability_zone.clone()).unwrap_or_default(),
        key_name: key_name(stores, server),
        host: host.filter(|_| privileged),
        privileged,
    }
}

/// OpenStack id of the image that the server was made from.
pub fn image(stores: &Stores, server: &Server) -> Option<String> {
    let resolved = server.status.as_ref().and_then(|s| s.image.as_ref()).map(|i| i.id.clone());
    resolved.or_else(|| {
        let reference = server.image_ref()?;
        let image = stores.images.get(Some(&reference.namespace), &reference.name)?;
        OpenStackId::of(&image.metadata).ok().map(|id| id.to_string())
    })
}

/// The server's flavor.
pub fn flavor(stores: &Stores, server: &Server) -> Option<ResolvedFlavor> {
    let resolved = server.status.as_ref().and_then(|s| s.flavor.clone());
    resolved.or_else(|| {
        let flavor = stores.flavors.get(None, &server.spec.flavor)?;
        Some(ResolvedFlavor {
            name: server.spec.flavor.clone(),
            id: crate::nova::flavors::view::id(&flavor),
            display_name: flavor.display_name().to_owned(),
            vcpus: flavor.spec.vcpus,
            memory_mib: flavor.spec.memory_mib,
            disk_gib: flavor.spec.disk_gib,
            extra_specs: flavor.spec.extra_specs.clone(),
        })
    })
}

fn key_name(stores: &Stores, server: &Server) -> Option<String> {
    let name = server.spec.key_pair.as_ref()?;
    let resolved = server.status.as_ref().and_then(|s| s.key.as_ref()).map(|k| k.name.clone());
    let known =
        || stores.key_pairs.get(server.metadata.namespace.as_deref(), name).map(|k| k.display_name().to_owned());
    resolved.or_else(known).or_else(|| Some(name.clone()))
}

/// Nova's `hostId`: tells a project whether two of its servers share a host, and not which.
pub fn host_id(server: &Server) -> String {
    let project = server.metadata.namespace.as_deref().unwrap_or_default();
    let host = server.status.as_ref().and_then(|s| s.host.as_deref());
    host.map(|h| hex::encode(Sha224::digest(format!("{project}{h}").as_bytes()))).unwrap_or_default()
}

/// The status word that clients are shown.
pub fn status(server: &Server) -> String {
    state::shown(server).status
}
