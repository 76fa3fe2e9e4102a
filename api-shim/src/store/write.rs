//! Creating, changing and deleting objects of a project, and those of the whole cluster.

use std::{fmt::Debug, sync::Arc};

use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
    core::{ClusterResourceScope, NamespaceResourceScope},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{Cache, compact::compact, merge, refusal, slug};
use crate::{
    authorize::{Permit, Scope},
    fault::Fault,
};

/// Attempts at a name, and at a change while others write too.
const ATTEMPTS: usize = 6;

/// What a kind must be for these functions.
pub(crate) trait Object:
    Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<K> Object for K where
    K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

/// One kind of a project's objects, in memory and at the API server.
pub(super) struct Writer<'a, K> {
    pub client: &'a Client,
    pub cache: &'a Cache<K>,
    /// “Server”, for faults.
    pub what: &'static str,
}

impl<K: Object + Resource<Scope = NamespaceResourceScope>> Writer<'_, K> {
    fn at(&self, namespace: &str) -> At<'_, K> {
        At { api: Api::namespaced(self.client.clone(), namespace), cache: self.cache, what: self.what }
    }

    /// Creates `object` in the permit's project; its name gets a suffix if it is taken.
    pub async fn create(&self, permit: &Permit, mut object: K) -> Result<Arc<K>, Fault> {
        object.meta_mut().namespace = Some(permit.project().to_owned());
        Box::pin(self.at(permit.project()).create(object)).await
    }

    /// Creates `object` in the permit's project under its very name; 409 if that is taken.
    pub async fn create_named(&self, permit: &Permit, mut object: K) -> Result<Arc<K>, Fault> {
        object.meta_mut().namespace = Some(permit.project().to_owned());
        self.own(permit, &object)?;
        let at = self.at(permit.project());
        let created = at.api.create(&PostParams::default(), &object).await;
        Ok(seen(self.cache, created.map_err(|e| refusal::write_fault(self.what, &e))?).await)
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
        Box::pin(self.at(permit.project()).change(known, change)).await
    }

    /// Changes an object of whatever project; for those alone who have looked at what is changed.
    pub(super) async fn change_anywhere(
        &self,
        known: Arc<K>,
        change: impl Fn(&mut K) -> Result<(), Fault>,
    ) -> Result<Arc<K>, Fault> {
        Box::pin(self.at(&known.namespace().unwrap_or_default()).change(known, change)).await
    }

    /// Deletes this very object (same UID) of the permit's project.
    pub async fn delete(&self, permit: &Permit, known: &K) -> Result<(), Fault> {
        self.own(permit, known)?;
        Box::pin(self.at(permit.project()).delete(known)).await
    }

    /// Waits until the cache has `written`.
    pub async fn seen(&self, written: K) -> Arc<K> {
        seen(self.cache, written).await
    }

    /// No proof for one project writes to another, and none for one object to another.
    fn own(&self, permit: &Permit, object: &K) -> Result<(), Fault> {
        if object.namespace().as_deref() == Some(permit.project()) && permit.covers(object.meta()) {
            return Ok(());
        }
        Err(Fault::not_found(format!("The {} could not be found.", self.what)))
    }
}

/// One cluster-wide kind, in memory and at the API server. Only a proof for the whole cluster writes.
pub(super) struct ClusterWriter<'a, K> {
    pub client: &'a Client,
    pub cache: &'a Cache<K>,
    /// “Flavor”, for faults.
    pub what: &'static str,
}

impl<K: Object + Resource<Scope = ClusterResourceScope>> ClusterWriter<'_, K> {
    fn at(&self) -> At<'_, K> {
        At { api: Api::all(self.client.clone()), cache: self.cache, what: self.what }
    }

    /// Creates `object`; its name gets a suffix if it is taken.
    pub async fn create(&self, permit: &Permit, object: K) -> Result<Arc<K>, Fault> {
        self.may(permit, &object)?;
        Box::pin(self.at().create(object)).await
    }

    /// Creates `object` under its very name; 409 if that is taken.
    pub async fn create_named(&self, permit: &Permit, object: K) -> Result<Arc<K>, Fault> {
        self.may(permit, &object)?;
        let at = self.at();
        let created = at.api.create(&PostParams::default(), &object).await;
        Ok(seen(self.cache, created.map_err(|e| refusal::write_fault(self.what, &e))?).await)
    }

    /// As [`Writer::change`].
    pub async fn change(
        &self,
        permit: &Permit,
        known: Arc<K>,
        change: impl Fn(&mut K) -> Result<(), Fault>,
    ) -> Result<Arc<K>, Fault> {
        self.may(permit, &known)?;
        Box::pin(self.at().change(known, change)).await
    }

    /// Deletes this very object (same UID).
    pub async fn delete(&self, permit: &Permit, known: &K) -> Result<(), Fault> {
        self.may(permit, known)?;
        Box::pin(self.at().delete(known)).await
    }

    fn may(&self, permit: &Permit, object: &K) -> Result<(), Fault> {
        if permit.rule().scope == Scope::Cluster && permit.covers(object.meta()) {
            return Ok(());
        }
        Err(Fault::forbidden(format!("The {} belongs to the whole cluster, and so must the permission.", self.what)))
    }
}

/// One kind where it lies. It asks for no proof: that is for whoever makes one.
pub(crate) struct At<'a, K> {
    pub api: Api<K>,
    pub cache: &'a Cache<K>,
    /// “Server”, for faults.
    pub what: &'static str,
}

impl<K: Object> At<'_, K> {
    pub async fn create(&self, mut object: K) -> Result<Arc<K>, Fault> {
        let base = object.name_any();
        for _ in 0..ATTEMPTS {
            match self.api.create(&PostParams::default(), &object).await {
                Ok(created) => return Ok(seen(self.cache, created).await),
                Err(kube::Error::Api(s)) if s.code == 409 && s.reason == "AlreadyExists" => {
                    object.meta_mut().name = Some(slug::with_suffix(&base));
                }
                Err(error) => return Err(refusal::write_fault(self.what, &error)),
            }
        }
        Err(Fault::conflict(format!("No free name for the {} was found; choose another.", self.what)))
    }

    pub async fn change(&self, known: Arc<K>, change: impl Fn(&mut K) -> Result<(), Fault>) -> Result<Arc<K>, Fault> {
        let (name, uid, mut current) = (known.name_any(), known.uid(), known);
        for _ in 0..ATTEMPTS {
            let mut wished = (*current).clone();
            change(&mut wished)?;
            let json = |k: &K| serde_json::to_value(k).map_err(|e| Fault::internal("serialize object", &e));
            let Some(mut patch) = merge::patch(&json(&current)?, &json(&wished)?) else { return Ok(current) };
            patch["metadata"]["resourceVersion"] = json!(current.resource_version());
            match self.api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await {
                Ok(written) => return Ok(seen(self.cache, written).await),
                Err(kube::Error::Api(s)) if s.code == 409 => {
                    let newest = self.api.get(&name).await.map_err(|e| refusal::read_fault(self.what, &e))?;
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

    pub async fn delete(&self, known: &K) -> Result<(), Fault> {
        let preconditions = Some(Preconditions { uid: known.uid(), resource_version: None });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        match self.api.delete(&known.name_any(), &params).await {
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
}

/// Waits until the cache has `written`, and gives it as the cache has it.
pub(crate) async fn seen<K: Object>(cache: &Cache<K>, written: K) -> Arc<K> {
    let written = compact(written);
    cache.wait_for(&written).await;
    Arc::new(written)
}
