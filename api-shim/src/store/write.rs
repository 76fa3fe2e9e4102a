//! Creating, changing and deleting objects of a project.

use std::{fmt::Debug, sync::Arc};

use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
    core::NamespaceResourceScope,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{Cache, compact::compact, merge, refusal, slug};
use crate::{authorize::Permit, fault::Fault};

/// Attempts at a name, and at a change while others write too.
const ATTEMPTS: usize = 6;

/// What a kind must be for these functions.
pub(super) trait Object:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<K> Object for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// One kind, in memory and at the API server.
pub(super) struct Writer<'a, K> {
    pub client: &'a Client,
    pub cache: &'a Cache<K>,
    /// “Server”, for faults.
    pub what: &'static str,
}

impl<K: Object> Writer<'_, K> {
    fn api(&self, namespace: &str) -> Api<K> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Creates `object` in the permit's project; its name gets a suffix if it is taken.
    pub async fn create(&self, permit: &Permit, mut object: K) -> Result<Arc<K>, Fault> {
        let base = object.name_any();
        object.meta_mut().namespace = Some(permit.project().to_owned());
        for _ in 0..ATTEMPTS {
            match self.api(permit.project()).create(&PostParams::default(), &object).await {
                Ok(created) => return Ok(self.seen(created).await),
                Err(kube::Error::Api(s)) if s.code == 409 && s.reason == "AlreadyExists" => {
                    object.meta_mut().name = Some(slug::with_suffix(&base));
                }
                Err(error) => return Err(refusal::write_fault(self.what, &error)),
            }
        }
        Err(Fault::conflict(format!("No free name for the {} was found; choose another.", self.what)))
    }

    /// Changes an object of the permit's project. `change` runs again on the newest version when somebody else wrote
    /// meanwhile, so its checks always hold for what is written.
    pub async fn change(
        &self,
        permit: &Permit,
        known: Arc<K>,
        change: impl Fn(&mut K) -> Result<(), Fault>,
    ) -> Result<Arc<K>, Fault> {
        self.own(permit, &known)?;
        let api = self.api(permit.project());
        let (name, uid, mut current) = (known.name_any(), known.uid(), known);
        for _ in 0..ATTEMPTS {
            let mut wished = (*current).clone();
            change(&mut wished)?;
            let json = |k: &K| serde_json::to_value(k).map_err(|e| Fault::internal("serialize object", &e));
            let Some(mut patch) = merge::patch(&json(&current)?, &json(&wished)?) else { return Ok(current) };
            patch["metadata"]["resourceVersion"] = json!(current.resource_version());
            match api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await {
                Ok(written) => return Ok(self.seen(written).await),
                Err(kube::Error::Api(s)) if s.code == 409 => {
                    let newest = api.get(&name).await.map_err(|e| refusal::read_fault(self.what, &e))?;
                    if newest.uid() != uid {
                        return Err(Fault::not_found(format!("The {} could not be found.", self.what)));
                    }
                    current = Arc::new(compact(newest));
                }
                Err(error) => return Err(refusal::write_fault(self.what, &error)),
            }
        }
        Err(Fault::conflict(format!("The {} is being changed by others; try again.", self.what)))
    }

    /// Deletes this very object (same UID) of the permit's project.
    pub async fn delete(&self, permit: &Permit, known: &K) -> Result<(), Fault> {
        self.own(permit, known)?;
        let preconditions = Some(Preconditions { uid: known.uid(), resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        match self.api(permit.project()).delete(&known.name_any(), &params).await {
            Ok(_) => {
                self.cache.wait_gone(known).await;
                Ok(())
            }
            Err(kube::Error::Api(s)) if matches!(s.code, 404 | 409) => {
                Err(Fault::not_found(format!("The {} could not be found.", self.what)))
            }
            Err(error) => Err(refusal::write_fault(self.what, &error)),
        }
    }

    /// Waits until the cache has `written`.
    pub async fn seen(&self, written: K) -> Arc<K> {
        let written = compact(written);
        self.cache.wait_for(&written).await;
        Arc::new(written)
    }

    /// No proof for one project writes to another, and none for one object to another.
    fn own(&self, permit: &Permit, object: &K) -> Result<(), Fault> {
        if object.namespace().as_deref() == Some(permit.project()) && permit.covers(object.meta()) {
            return Ok(());
        }
        Err(Fault::not_found(format!("The {} could not be found.", self.what)))
    }
}
