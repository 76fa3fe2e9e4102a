//! What a server's document needs beside the Server itself: ids and names of what it refers to.

use ostler_crds::{Host, ImageRef, OpenStackId, Server, find_condition, names::condition, server::ResolvedFlavor};
use sha2::{Digest, Sha224};

use crate::{
    app::App,
    authorize::{Permit, Scope, rule::common},
    fault::Fault,
    nova::server_groups,
    store::{Stores, security_groups},
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
    /// Nova's word for how the host is; empty without one.
    pub host_status: &'static str,
    /// Ids of the server groups that it is in.
    pub server_groups: Vec<String>,
    /// Names of the security groups that it is in.
    pub security_groups: Vec<String>,
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
    let known = host.as_ref().and_then(|name| stores.hosts.get(None, name));
    let zone = known.as_ref().map(|h| h.availability_zone().to_owned());
    Facts {
        image: image(stores, server),
        flavor: flavor(stores, server),
        zone: zone.or_else(|| server.spec.availability_zone.clone()).unwrap_or_default(),
        key_name: key_name(stores, server),
        host_status: host.as_ref().map_or("", |_| host_status(known.as_deref())),
        host: host.filter(|_| privileged),
        security_groups: security_groups::of_server(stores, server)
            .iter()
            .map(|g| g.display_name().to_owned())
            .collect(),
        server_groups: group_id(stores, server).into_iter().collect(),
        privileged,
    }
}

/// The id of the server group that it names, if that is there.
fn group_id(stores: &Stores, server: &Server) -> Option<String> {
    let name = server.spec.scheduler_hints.as_ref()?.group.as_ref()?;
    let group = stores.server_groups.get(server.metadata.namespace.as_deref(), name)?;
    Some(server_groups::view::id(&group))
}

/// Nova's word for how a host is.
fn host_status(host: Option<&Host>) -> &'static str {
    let Some(host) = host else { return "UNKNOWN" };
    let ready = host.status.as_ref().and_then(|s| find_condition(&s.conditions, condition::READY));
    match ready.map(|c| c.status.as_str()) {
        _ if !host.spec.schedulable => "MAINTENANCE",
        Some("True") => "UP",
        Some("False") => "DOWN",
        _ => "UNKNOWN",
    }
}

/// OpenStack id of the image that the server is made from, or is being made anew from.
pub fn image(stores: &Stores, server: &Server) -> Option<String> {
    let reference = server.image_ref();
    let resolved = server.status.as_ref().and_then(|s| s.image.as_ref());
    let is_it = |r: &ImageRef| resolved.is_some_and(|i| i.namespace == r.namespace && i.name == r.name);
    let wished = || {
        let reference = reference.as_ref().filter(|r| !is_it(r))?;
        let image = stores.images.get(Some(&reference.namespace), &reference.name)?;
        OpenStackId::of(&image.metadata).ok().map(|id| id.to_string())
    };
    wished().or_else(|| resolved.map(|i| i.id.clone()))
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
