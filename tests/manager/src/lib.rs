//! A world for the manager: a control plane with the chart, an image server, and Hosts whose node role is the test.

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{Host, Server, find_condition, names::HEARTBEAT_LEASE_PREFIX};
use ostler_test_harness::{Cluster, FileServer, apply::apply_yaml, chart::NAMESPACE, wait_for};
use serde_json::json;
use sha2::{Digest, Sha256};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A control plane of its own, an image server, and what every Server here names.
pub struct World {
    /// The control plane.
    pub cluster: Cluster,
    /// The administrator.
    pub client: Client,
    /// Serves `tiny.raw`.
    pub files: FileServer,
    /// A project.
    pub namespace: String,
}

impl World {
    /// A world with a Flavor `small`, a Network `lan` (14 addresses) and an Image `tiny` in the namespace.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn new() -> Result<Self> {
        let cluster = Cluster::start(&[]).await?;
        let client = cluster.admin().await?;
        let namespace = cluster.project().await?;
        std::fs::write(cluster.scratch().join("tiny.raw"), tiny())?;
        let files = FileServer::start(cluster.scratch(), None).await?;
        let world = Self { cluster, client, files, namespace };
        world.apply(&image("tiny", &world.files.url("tiny.raw"), &tiny_digest())).await?;
        world.apply(CATALOG).await?;
        Ok(world)
    }

    /// Applies YAML in the project.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn apply(&self, yaml: &str) -> Result<()> {
        apply_yaml(&self.client, yaml, &self.namespace).await.map(drop)
    }

    /// Applies a Server.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn server(&self, name: &str, spec: &str) -> Result<()> {
        self.apply(&format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        ))
        .await
    }

    /// Servers of the project.
    pub fn servers(&self) -> Api<Server> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// A Host that is Ready and beats once, which does for 40 s.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn host(&self, name: &str, memory_mib: u64) -> Result<()> {
        self.apply(&format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Host\nmetadata: {{name: {name}}}\nspec: {{}}\n"
        ))
        .await?;
        self.beat(name).await?;
        let status = json!({ "status": {
            "capacity": { "vcpus": 16, "memoryMiB": memory_mib, "diskGiB": 1000 },
            "conditions": [{ "type": "Ready", "status": "True", "reason": "HypervisorReady", "message": "",
                "lastTransitionTime": Timestamp::now().to_string() }],
        } });
        Api::<Host>::all(self.client.clone())
            .patch_status(name, &PatchParams::default(), &Patch::Merge(&status))
            .await?;
        Ok(())
    }

    /// Waits until the Server is gone.
    ///
    /// # Errors
    /// It does not go in 30 s.
    pub async fn wait_gone(&self, server: &str) -> Result<()> {
        let api = self.servers();
        wait_for(&format!("{server} to be gone"), PATIENCE, || async {
            Ok(api.get_opt(server).await?.is_none().then_some(()))
        })
        .await
    }

    /// A heartbeat of a host.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn beat(&self, host: &str) -> Result<()> {
        self.beat_at(host, Timestamp::now()).await
    }

    /// A heartbeat of a host whose clock shows this.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn beat_at(&self, host: &str, clock: Timestamp) -> Result<()> {
        let name = format!("{HEARTBEAT_LEASE_PREFIX}{host}");
        let now = format!("{clock:.6}");
        let lease = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": name },
            "spec": { "holderIdentity": host, "renewTime": now } });
        Api::<Lease>::namespaced(self.client.clone(), NAMESPACE)
            .patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&lease))
            .await?;
        Ok(())
    }

    /// Waits until the Server's condition has this reason, and gives the Server.
    ///
    /// # Errors
    /// It does not come to that in 30 s; the error has the Server's conditions.
    pub async fn wait_reason(&self, server: &str, type_: &str, reason: &str) -> Result<Server> {
        let api = self.servers();
        let waited = wait_for(&format!("{server}: {type_} with {reason}"), PATIENCE, || async {
            let found = api.get_opt(server).await?;
            Ok(found.filter(|s| {
                let conditions = s.status.as_ref().map_or(&[][..], |s| &s.conditions);
                find_condition(conditions, type_).is_some_and(|c| c.reason == reason)
            }))
        })
        .await;
        match waited {
            Ok(found) => Ok(found),
            Err(error) => Err(error.context(format!("{:?}", api.get_opt(server).await?.and_then(|s| s.status)))),
        }
    }

    /// Waits until the Server has a host.
    ///
    /// # Errors
    /// It gets none in 30 s.
    pub async fn wait_bound(&self, server: &str) -> Result<Server> {
        self.wait_reason(server, "Scheduled", "Bound").await.with_context(|| format!("{server} was not bound"))
    }

    /// The addresses of all Servers of the project.
    ///
    /// # Errors
    /// The API server does not list them.
    pub async fn addresses(&self) -> Result<Vec<(String, String)>> {
        let list = self.servers().list(&Default::default()).await?;
        Ok(list
            .iter()
            .flat_map(|s| {
                let addresses = s.status.as_ref().map(|s| s.addresses.clone()).unwrap_or_default();
                addresses.into_iter().map(|a| (s.name_any(), a.address))
            })
            .collect())
    }
}

/// The bytes of the image: a raw disk of 1 MiB.
pub fn tiny() -> Vec<u8> {
    vec![7; 1 << 20]
}

/// SHA-256 of [`tiny`].
pub fn tiny_digest() -> String {
    hex::encode(Sha256::digest(tiny()))
}

/// An Image from the web.
pub fn image(name: &str, url: &str, sha256: &str) -> String {
    format!(
        "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {{name: {name}}}\n\
         spec: {{diskFormat: raw, source: {{http: {{url: '{url}', sha256: '{sha256}'}}}}}}\n"
    )
}

/// What Servers name.
pub const CATALOG: &str = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: small}
spec: {vcpus: 1, memoryMiB: 128, diskGiB: 1}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: Network
metadata: {name: lan}
spec: {default: true, subnets: [{cidr: 10.77.0.0/28}]}
";
