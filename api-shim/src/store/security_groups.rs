//! SecurityGroups of a project: find, list, create, change, delete. The group `default` is there also where no object is; a
//! change of it makes one.

use std::sync::Arc;

use kube::{Client, ResourceExt};
use ostler_crds::{
    OpenStackId, SecurityGroup, SecurityGroupSpec, Server,
    names::ID_LABEL,
    security_group::{DEFAULT, default_rules},
};
use uuid::Uuid;

use super::{Stores, reads, write::Writer};
use crate::{authorize::Permit, fault::Fault, observe::clean};

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> Writer<'a, SecurityGroup> {
    Writer { client, cache: &stores.security_groups, what: "SecurityGroup" }
}

/// Id of a project's group `default`, as long as nobody made it with another one.
pub fn default_id(project: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("ostler:security-group:{project}").as_bytes()).to_string()
}

/// The id of a group; empty for one that never came from an API server.
pub fn id(group: &SecurityGroup) -> String {
    OpenStackId::of(&group.metadata).map(|i| i.to_string()).unwrap_or_default()
}

/// Whether it is the one called `default`.
pub fn is_default(group: &SecurityGroup) -> bool {
    group.metadata.name.as_deref() == Some(DEFAULT)
}

/// The group `default` of a project without such an object.
fn by_rule(project: &str) -> SecurityGroup {
    let description = Some("Everything passes".to_owned());
    let mut group =
        SecurityGroup::new(DEFAULT, SecurityGroupSpec { display_name: None, description, rules: default_rules() });
    group.metadata.namespace = Some(project.to_owned());
    group.metadata.labels = Some([(ID_LABEL.to_owned(), default_id(project))].into());
    group
}

/// The group of a namespace with this `metadata.name`.
pub fn get(stores: &Stores, namespace: &str, name: &str) -> Option<Arc<SecurityGroup>> {
    let known = stores.security_groups.get(Some(namespace), name);
    known.or_else(|| (name == DEFAULT).then(|| Arc::new(by_rule(namespace))))
}

/// All groups of the permit's project, or of all projects, for whom the caller has asked; by name.
pub fn all(stores: &Stores, permit: &Permit, wide: bool) -> Vec<Arc<SecurityGroup>> {
    let own = permit.project();
    let mut all = if wide { stores.security_groups.all() } else { stores.security_groups.in_namespace(own) };
    let is_own_default = |g: &SecurityGroup| is_default(g) && g.namespace().as_deref() == Some(own);
    if !all.iter().any(|g| is_own_default(g)) {
        all.push(Arc::new(by_rule(own)));
    }
    all.retain(|g| permit.covers(&g.metadata));
    all.sort_by_key(|g| (g.namespace(), g.name_any()));
    all
}

/// How many groups a project has.
pub fn count(stores: &Stores, project: &str) -> usize {
    let known = stores.security_groups.in_namespace(project);
    known.len() + usize::from(!known.iter().any(|g| is_default(g)))
}

/// The group with this id, or a 404.
pub async fn find(client: &Client, stores: &Stores, permit: &Permit, id: &str) -> Result<Arc<SecurityGroup>, Fault> {
    let project = permit.project();
    if id == default_id(project)
        && let Some(default) = get(stores, project, DEFAULT).filter(|g| permit.covers(&g.metadata))
    {
        return Ok(default);
    }
    let found = reads::own_by_id(client, &stores.security_groups, permit, id).await?;
    found.ok_or_else(|| missing(id))
}

fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Security group {} does not exist", clean(id))).kind("SecurityGroupNotFound")
}

/// The `metadata.name` of the project's group that a client calls so, by name or id. Neutron lets names be there twice.
pub fn named(stores: &Stores, project: &str, wanted: &str) -> Result<Option<String>, Fault> {
    let mut known = stores.security_groups.in_namespace(project);
    known.extend(get(stores, project, DEFAULT).filter(|g| g.metadata.uid.is_none()));
    if let Some(group) = known.iter().find(|g| id(g) == wanted) {
        return Ok(group.metadata.name.clone());
    }
    let called: Vec<String> = known.iter().filter(|g| g.display_name() == wanted).map(|g| g.name_any()).collect();
    match called.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [_, ..] => Err(Fault::conflict(format!(
            "Multiple security groups found matching '{}'. Use an ID to be more specific.",
            clean(wanted)
        ))),
    }
}

/// Creates a group in the permit's project.
pub async fn create(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    group: SecurityGroup,
) -> Result<Arc<SecurityGroup>, Fault> {
    writer(client, stores).create(permit, group).await
}

/// Changes a group; `change` is run again if somebody else wrote meanwhile.
pub async fn change(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    known: Arc<SecurityGroup>,
    change: impl Fn(&mut SecurityGroup) -> Result<(), Fault>,
) -> Result<Arc<SecurityGroup>, Fault> {
    let _turn = stores.security_group_turn.lock().await;
    // `default` may have become an object meanwhile.
    let newest = || stores.security_groups.get(known.metadata.namespace.as_deref(), &known.name_any());
    let known = if known.metadata.uid.is_some() { known } else { newest().unwrap_or(known) };
    if known.metadata.uid.is_some() {
        return writer(client, stores).change(permit, known, change).await;
    }
    let mut made = (*known).clone();
    change(&mut made)?;
    writer(client, stores).create_named(permit, made).await
}

/// Deletes a group, and the rules of others that speak of it.
pub async fn delete(client: &Client, stores: &Stores, permit: &Permit, group: &SecurityGroup) -> Result<(), Fault> {
    let (writer, name) = (writer(client, stores), group.name_any());
    writer.delete(permit, group).await?;
    for other in stores.security_groups.in_namespace(permit.project()) {
        if other.spec.rules.iter().any(|r| r.remote_group.as_ref() == Some(&name)) {
            let forget = |g: &mut SecurityGroup| {
                g.spec.rules.retain(|r| r.remote_group.as_ref() != Some(&name));
                Ok(())
            };
            writer.change_anywhere(other, forget).await?;
        }
    }
    Ok(())
}

/// Whether a Server of its project is in it.
pub fn in_use(stores: &Stores, group: &SecurityGroup) -> bool {
    let name = group.metadata.name.as_deref().unwrap_or_default();
    let is_in = |server: &Server| server.spec.security_groups().contains(&name);
    stores.servers.in_namespace(group.metadata.namespace.as_deref().unwrap_or_default()).iter().any(|s| is_in(s))
}

/// The groups that a Server is in, as far as they are there.
pub fn of_server(stores: &Stores, server: &Server) -> Vec<Arc<SecurityGroup>> {
    let namespace = server.metadata.namespace.as_deref().unwrap_or_default();
    server.spec.security_groups().into_iter().filter_map(|name| get(stores, namespace, name)).collect()
}
