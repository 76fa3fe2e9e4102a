//! The objects: reads from memory, writes to the API server, and a client that reads its own writes.
//!
//! A write is answered from the object that the API server returned, and waits until the cache has seen it. A miss in
//! the cache falls through to the API server, so that a second replica agrees. Every function that touches objects of a
//! project demands a [`crate::authorize::Permit`].

mod absent;
mod cache;
mod compact;
pub mod files;
pub mod flavors;
pub mod grants;
pub mod hosts;
pub mod images;
pub mod key_pairs;
mod merge;
pub mod named;
pub mod names;
pub mod networks;
pub mod projects;
pub mod quotas;
pub mod reads;
pub mod refusal;
pub mod security_groups;
pub mod server_groups;
pub mod servers;
pub mod slug;
pub mod tombstones;
pub mod upload;
pub(crate) mod write;

use std::sync::Arc;

pub use cache::Cache;
pub use compact::{deleted_at, updated_at};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::{Api, Client, runtime::watcher};
use ostler_crds::{
    Flavor, Host, Image, KeyPair, Network, ProjectQuota, SecurityGroup, Server, ServerGroup,
    names::{PROJECT_LABEL, USER_LABEL},
};

use self::tombstones::Tombstones;
use crate::authenticate::keys;

/// The caches.
pub struct Stores {
    /// All Servers.
    pub servers: Cache<Server>,
    /// All ServerGroups.
    pub server_groups: Cache<ServerGroup>,
    /// All SecurityGroups.
    pub security_groups: Cache<SecurityGroup>,
    /// Held by whoever changes one: clients make the rules of a group all at once, and each is a change of one object.
    security_group_turn: tokio::sync::Mutex<()>,
    /// Servers that are gone.
    pub tombstones: Tombstones,
    /// All Flavors.
    pub flavors: Cache<Flavor>,
    /// All Images.
    pub images: Cache<Image>,
    /// All KeyPairs.
    pub key_pairs: Cache<KeyPair>,
    /// All Networks.
    pub networks: Cache<Network>,
    /// All Hosts.
    pub hosts: Cache<Host>,
    /// All ProjectQuotas.
    pub quotas: Cache<ProjectQuota>,
    /// Namespaces that are projects.
    pub projects: Cache<Namespace>,
    /// Secrets of users.
    pub users: Cache<Secret>,
    /// Secrets that the Keystone front keeps for itself.
    pub keystone: Cache<Secret>,
}

impl Stores {
    /// Starts the watches; they end with the runtime. `namespace` is the release's.
    pub fn start(client: &Client, namespace: &str) -> Arc<Self> {
        let secrets = || Api::<Secret>::namespaced(client.clone(), namespace);
        let all = watcher::Config::default;
        let stores = Arc::new(Self {
            servers: Cache::start(Api::all(client.clone()), all()),
            server_groups: Cache::start(Api::all(client.clone()), all()),
            security_groups: Cache::start(Api::all(client.clone()), all()),
            security_group_turn: tokio::sync::Mutex::default(),
            tombstones: Tombstones::default(),
            flavors: Cache::start(Api::all(client.clone()), all()),
            images: Cache::start(Api::all(client.clone()), all()),
            key_pairs: Cache::start(Api::all(client.clone()), all()),
            networks: Cache::start(Api::all(client.clone()), all()),
            hosts: Cache::start(Api::all(client.clone()), all()),
            quotas: Cache::start(Api::all(client.clone()), all()),
            projects: Cache::start(Api::all(client.clone()), all().labels(&format!("{PROJECT_LABEL}=true"))),
            users: Cache::start(secrets(), all().labels(&format!("{USER_LABEL}=true"))),
            keystone: Cache::start(secrets(), all().labels(keys::LABEL)),
        });
        let buried = stores.clone();
        tokio::spawn(async move { buried.tombstones.follow(buried.servers.deletions()).await });
        stores
    }

    /// Caches that nothing fills.
    #[cfg(test)]
    pub fn empty() -> Self {
        Self {
            servers: Cache::empty(),
            server_groups: Cache::empty(),
            security_groups: Cache::empty(),
            security_group_turn: tokio::sync::Mutex::default(),
            tombstones: Tombstones::default(),
            flavors: Cache::empty(),
            images: Cache::empty(),
            key_pairs: Cache::empty(),
            networks: Cache::empty(),
            hosts: Cache::empty(),
            quotas: Cache::empty(),
            projects: Cache::empty(),
            users: Cache::empty(),
            keystone: Cache::empty(),
        }
    }

    /// Kinds that were not listed yet; empty when ready.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("servers", self.servers.is_ready()),
            ("servergroups", self.server_groups.is_ready()),
            ("securitygroups", self.security_groups.is_ready()),
            ("flavors", self.flavors.is_ready()),
            ("images", self.images.is_ready()),
            ("keypairs", self.key_pairs.is_ready()),
            ("networks", self.networks.is_ready()),
            ("hosts", self.hosts.is_ready()),
            ("projectquotas", self.quotas.is_ready()),
            ("namespaces", self.projects.is_ready()),
            ("secrets", self.users.is_ready() && self.keystone.is_ready()),
        ];
        all.into_iter().filter(|(_, ready)| !ready).map(|(name, _)| name).collect()
    }
}
