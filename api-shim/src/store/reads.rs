//! Reads. Each demands a permit and shows only what its project may see; what is not there and what is not theirs are
//! told apart by nobody.

use std::{fmt::Debug, hash::Hash, sync::Arc, time::Instant};

use kube::{Api, Client, Resource, ResourceExt, api::ListParams, core::NamespaceResourceScope};
use ostler_crds::{
    Flavor, Image, KeyPair, Network, OpenStackId, Server,
    image::{ImageVisibility, MemberStatus},
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Cache, Stores, cache::is_born_with, compact::compact, refusal};
use crate::{
    authorize::{Permit, Scope},
    fault::Fault,
};

/// The object of the permit's project with this id. A miss in memory falls through to the API server, because another
/// replica may have made the object a moment ago; not more than once in two seconds for the same id.
pub async fn own_by_id<K>(client: &Client, cache: &Cache<K>, permit: &Permit, id: &str) -> Result<Option<Arc<K>>, Fault>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    let Some(id) = uuid_of(id) else { return Ok(None) };
    let known = cache.by_id(id);
    // No two objects are born with one id: when somebody else's is known, there is no need to ask.
    let is_elsewhere = known.first().is_some_and(|k| is_born_with(k.as_ref(), id));
    let visible = |k: &K| k.namespace().as_deref() == Some(permit.project()) && permit.covers(k.meta());
    let own = known.into_iter().find(|k| visible(k));
    if own.is_some() || is_elsewhere {
        return Ok(own);
    }
    if cache.is_absent(permit.project(), id) {
        return Ok(None);
    }
    let asked = Instant::now();
    let api: Api<K> = Api::namespaced(client.clone(), permit.project());
    let fault = |e: kube::Error| refusal::read_fault("object", &e);
    let listed = api.list_metadata(&ListParams::default()).await.map_err(fault)?;
    let is_it = |m: &kube::core::ObjectMeta| OpenStackId::of(m).is_ok_and(|i| i.uuid() == id);
    let Some(name) = listed.items.into_iter().find(|m| is_it(&m.metadata)).map(|m| m.name_any()) else {
        cache.note_absent(permit.project(), id, asked);
        return Ok(None);
    };
    let found = api.get_opt(&name).await.map_err(fault)?;
    Ok(found.filter(|k| is_it(k.meta()) && visible(k)).map(|k| Arc::new(compact(k))))
}

/// A UUID in any of the forms that clients send.
pub fn uuid_of(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// The Servers that a permit lists: of its project, or of all if it was given for the whole cluster.
pub fn servers(stores: &Stores, permit: &Permit) -> Vec<Arc<Server>> {
    let mut all = match permit.rule().scope {
        Scope::Project => stores.servers.in_namespace(permit.project()),
        Scope::Cluster => stores.servers.all(),
    };
    all.retain(|s| permit.covers(&s.metadata));
    all
}

/// The Servers that are gone and that a permit would have listed.
pub fn tombstones(stores: &Stores, permit: &Permit) -> Vec<Arc<Server>> {
    let mut all = stores.tombstones.all();
    let own = |s: &Server| s.namespace().as_deref() == Some(permit.project());
    all.retain(|s| (permit.rule().scope == Scope::Cluster || own(s)) && permit.covers(&s.metadata));
    all
}

/// A Server of the permit's project that is gone, by id.
pub fn tombstone(stores: &Stores, permit: &Permit, id: &str) -> Option<Arc<Server>> {
    let own = |s: &Server| s.namespace().as_deref() == Some(permit.project()) && permit.covers(&s.metadata);
    stores.tombstones.by_id(uuid_of(id)?).into_iter().find(|s| own(s))
}

/// The Flavors that the permit's project may use.
pub fn flavors(stores: &Stores, permit: &Permit) -> Vec<Arc<Flavor>> {
    let mut all = stores.flavors.all();
    all.retain(|f| f.usable_in(permit.project()) && permit.covers(&f.metadata));
    all
}

/// A Flavor that the permit's project may use, by id.
pub fn flavor(stores: &Stores, permit: &Permit, id: &str) -> Option<Arc<Flavor>> {
    flavors_by_id(stores, id).into_iter().find(|f| f.usable_in(permit.project()) && permit.covers(&f.metadata))
}

/// The Flavors with this OpenStack id, the one whose uid it is first, then the oldest claims. A Flavor's id need not be a
/// UUID, so the cache does not know it.
pub(super) fn flavors_by_id(stores: &Stores, id: &str) -> Vec<Arc<Flavor>> {
    let mut found = stores.flavors.all();
    found.retain(|f| f.openstack_id() == id);
    let born = |f: &Flavor| f.metadata.uid.as_deref() == Some(id);
    found.sort_by_key(|f| (!born(f), f.metadata.creation_timestamp.clone(), f.metadata.name.clone()));
    found
}

/// The Networks that the permit's project may use.
pub fn networks(stores: &Stores, permit: &Permit) -> Vec<Arc<Network>> {
    let mut all = stores.networks.all();
    all.retain(|n| n.usable_in(permit.project()) && permit.covers(&n.metadata));
    all
}

/// A Network that the permit's project may use, by id.
pub fn network(stores: &Stores, permit: &Permit, id: &str) -> Option<Arc<Network>> {
    stores
        .networks
        .by_id(uuid_of(id)?)
        .into_iter()
        .find(|n| n.usable_in(permit.project()) && permit.covers(&n.metadata))
}

/// Which Images of other projects a list shows besides the public ones, because they are asked for. What anybody can
/// show to a project without its consent must not turn up in its lists, where clients look names up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// Those of the community.
    pub community: bool,
    /// Those that name the project as a member, by what it said to them: not yet anything, yes, no.
    pub shared: [bool; 3],
}

/// As Glance: what was accepted is listed, unless something else is asked for.
impl Default for Foreign {
    fn default() -> Self {
        Self { community: false, shared: [false, true, false] }
    }
}

/// The Images that the permit's project sees in a list.
pub fn images(stores: &Stores, permit: &Permit, foreign: Foreign) -> Vec<Arc<Image>> {
    let mut all = stores.images.all();
    all.retain(|i| permit.covers(&i.metadata) && is_listed(i, permit.project(), foreign));
    all
}

fn is_listed(image: &Image, project: &str, foreign: Foreign) -> bool {
    let asked_for = match image.spec.visibility {
        ImageVisibility::Public | ImageVisibility::Private => true,
        ImageVisibility::Community => foreign.community,
        ImageVisibility::Shared => match image.spec.member_status.get(project) {
            None => foreign.shared[0],
            Some(MemberStatus::Accepted) => foreign.shared[1],
            Some(MemberStatus::Rejected) => foreign.shared[2],
        },
    };
    image.namespace().as_deref() == Some(project) || (asked_for && image.usable_in(project))
}

/// An Image that the permit's project may use, by id.
pub async fn image(client: &Client, stores: &Stores, permit: &Permit, id: &str) -> Result<Option<Arc<Image>>, Fault> {
    let Some(uuid) = uuid_of(id) else { return Ok(None) };
    let visible = |i: &Image| i.usable_in(permit.project()) && permit.covers(&i.metadata);
    let known = stores.images.by_id(uuid).into_iter().find(|i| visible(i));
    if known.is_some() {
        return Ok(known);
    }
    own_by_id(client, &stores.images, permit, id).await
}

/// The KeyPairs of a user in the permit's project: their own and those that belong to nobody.
pub fn key_pairs(stores: &Stores, permit: &Permit, user: &str) -> Vec<Arc<KeyPair>> {
    let mut all = key_pairs_of(stores, user, permit.project());
    all.retain(|k| permit.covers(&k.metadata));
    all
}

/// The KeyPair of a user with this OpenStack name; the user's own before nobody's, and of several the oldest, so that a
/// later one never takes the place of one that is known.
pub fn key_pair(stores: &Stores, permit: &Permit, user: &str, name: &str) -> Option<Arc<KeyPair>> {
    key_pair_of(stores, user, permit.project(), name).filter(|k| permit.covers(&k.metadata))
}

fn key_pairs_of(stores: &Stores, user: &str, project: &str) -> Vec<Arc<KeyPair>> {
    let mut all = stores.key_pairs.in_namespace(project);
    all.retain(|k| k.spec.user.as_ref().is_none_or(|u| u == user));
    all
}

/// Without a permit, for the question whether there is one.
pub(super) fn key_pair_of(stores: &Stores, user: &str, project: &str, name: &str) -> Option<Arc<KeyPair>> {
    let mut all = key_pairs_of(stores, user, project);
    all.retain(|k| k.display_name() == name);
    all.sort_by_key(|k| (k.spec.user.is_none(), k.metadata.creation_timestamp.clone()));
    all.into_iter().next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_others_show_to_a_project_is_listed_only_when_asked_for() {
        let image = |namespace: &str, visibility: &str| -> Image {
            let members = (visibility == "Shared").then(|| json!(["victim"]));
            serde_json::from_value(json!({
                "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image",
                "metadata": {"name": "x", "namespace": namespace},
                "spec": {"source": {"upload": {}}, "diskFormat": "raw", "visibility": visibility, "members": members},
            }))
            .unwrap()
        };
        let (none, shared) = (Foreign::default(), Foreign { shared: [true, true, true], ..Foreign::default() });
        let community = Foreign { community: true, ..Foreign::default() };
        for (visibility, wanted) in [
            ("Public", [true, true, true]),
            ("Shared", [false, true, false]),
            ("Community", [false, false, true]),
            ("Private", [false, false, false]),
        ] {
            let got = [none, shared, community].map(|f| is_listed(&image("evil", visibility), "victim", f));
            assert_eq!(got, wanted, "{visibility}");
            assert!(is_listed(&image("victim", visibility), "victim", none), "{visibility}");
        }
        assert!(!is_listed(&image("evil", "Shared"), "other", shared), "not a member");
        let mut taken = image("evil", "Shared");
        taken.spec.member_status.insert("victim".into(), MemberStatus::Accepted);
        assert!(is_listed(&taken, "victim", none), "accepted");
        taken.spec.member_status.insert("victim".into(), MemberStatus::Rejected);
        assert!(!is_listed(&taken, "victim", none), "rejected");
    }
}
