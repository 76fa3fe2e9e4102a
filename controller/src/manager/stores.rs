//! What the leader keeps in memory: all objects that placing a Server depends on, less what it never reads.

use std::{future::Future, time::Duration};

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::{self, Store, store::Writer},
        watcher::{self, Event},
    },
};
use ostler_crds::{Flavor, Host, Image, KeyPair, Network, ProjectQuota, Server, ServerGroup};
use serde::de::DeserializeOwned;

use crate::common::watch::patient;

/// The stores.
#[derive(Clone)]
pub struct Stores {
    /// All Servers, without user data.
    pub servers: Store<Server>,
    /// All Flavors.
    pub flavors: Store<Flavor>,
    /// All Images.
    pub images: Store<Image>,
    /// All KeyPairs.
    pub key_pairs: Store<KeyPair>,
    /// All Networks.
    pub networks: Store<Network>,
    /// All ProjectQuotas.
    pub quotas: Store<ProjectQuota>,
    /// All ServerGroups.
    pub server_groups: Store<ServerGroup>,
    /// All Hosts.
    pub hosts: Store<Host>,
    /// Leases of the release namespace; the hosts' heartbeats are among them.
    pub leases: Store<Lease>,
}

/// A watch stream of raw events, less managed fields.
pub fn events<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
{
    patient(watcher::watcher(api, config)).modify(|object| {
        object.managed_fields_mut().clear();
    })
}

/// A store that is filled by the returned future for as long as that is polled.
///
/// `tell` sees every event after the store took it.
pub fn store<K>(
    api: Api<K>,
    tell: impl Fn(&Event<K>) + Send + Sync + 'static,
) -> (Store<K>, impl Future<Output = ()> + Send)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + Sync + 'static,
{
    let (reader, writer) = reflector::store();
    // A list that is a little old does no harm: the watch that follows catches up.
    (reader, fill(writer, events(api, watcher::Config::default().any_semantic()), tell))
}

async fn fill<K>(
    writer: Writer<K>,
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    tell: impl Fn(&Event<K>) + Send + Sync,
) where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    let stream = events.reflect(writer).inspect_err(|error| tracing::warn!(%error, "watching; trying again"));
    stream
        .for_each(|event| {
            if let Ok(event) = &event {
                tell(event);
            }
            std::future::ready(())
        })
        .await;
}

/// Waits until a store holds what the API server holds. Says so if that takes long.
pub async fn synced<K>(name: &str, store: &Store<K>)
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    while tokio::time::timeout(Duration::from_secs(10), store.wait_until_ready()).await.is_err() {
        tracing::warn!("still waiting for the list of {name}; is the API server there, are the CRDs installed?");
    }
}

/// The Leases of a namespace.
pub fn leases(client: &Client, namespace: &str) -> Api<Lease> {
    Api::namespaced(client.clone(), namespace)
}
