//! Flavors for administrators: all of them, create, change, delete.

use std::sync::Arc;

use kube::Client;
use ostler_crds::Flavor;

use super::{Stores, reads, write::ClusterWriter};
use crate::{authorize::Permit, fault::Fault};

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> ClusterWriter<'a, Flavor> {
    ClusterWriter { client, cache: &stores.flavors, what: "Flavor" }
}

/// Nova's 404.
pub fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Flavor {} could not be found.", crate::observe::clean(id)))
}

/// A Flavor by id, whoever may use it; for those whom the permit makes an administrator.
pub fn find_any(stores: &Stores, permit: &Permit, id: &str) -> Result<Arc<Flavor>, Fault> {
    let found = reads::flavors_by_id(stores, id).into_iter().find(|f| permit.covers(&f.metadata));
    found.ok_or_else(|| missing(id))
}

/// Creates a Flavor. 409 if its id or name is taken.
pub async fn create(client: &Client, stores: &Stores, permit: &Permit, flavor: Flavor) -> Result<Arc<Flavor>, Fault> {
    let (id, name) = (flavor.openstack_id(), flavor.display_name());
    if !reads::flavors_by_id(stores, &id).is_empty() {
        return Err(Fault::conflict(format!("Flavor with ID {id} already exists.")));
    }
    if stores.flavors.all().iter().any(|f| f.display_name() == name) {
        return Err(Fault::conflict(format!("Flavor with name {} already exists.", crate::observe::clean(name))));
    }
    writer(client, stores).create(permit, flavor).await
}

/// Changes a Flavor.
pub async fn change(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    id: &str,
    change: impl Fn(&mut Flavor) -> Result<(), Fault>,
) -> Result<Arc<Flavor>, Fault> {
    let known = find_any(stores, permit, id)?;
    writer(client, stores).change(permit, known, change).await
}

/// Deletes a Flavor; Servers that have it keep it.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, id: &str) -> Result<(), Fault> {
    let known = find_any(stores, permit, id)?;
    writer(client, stores).delete(permit, &known).await
}
