//! A control plane with the chart's objects, shared by the tests of a test binary.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::sync::OnceCell;

use crate::chart::{NAMESPACE, RELEASE, install, make_namespace};
use crate::control_plane::{ControlPlane, client_as};
use crate::identity::Identity;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A control plane with the chart, but without pods.
#[derive(Debug)]
pub struct Cluster {
    control_plane: ControlPlane,
}

impl Cluster {
    /// Starts one of its own, for tests that count or break things. `settings` are helm's `--set` arguments.
    ///
    /// # Errors
    /// The control plane does not start, or it refuses the chart.
    pub async fn start(settings: &[&str]) -> Result<Self> {
        let control_plane = tokio::task::spawn_blocking(ControlPlane::start).await??;
        install(&control_plane.admin().await?, settings).await?;
        Ok(Self { control_plane })
    }

    /// The one of this test binary, started by the first test that asks.
    ///
    /// # Errors
    /// As [`Cluster::start`]; the next test tries again.
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED.get_or_try_init(|| Self::start(&[])).await
    }

    /// The control plane itself, to be taken away for a while. Only for a cluster that no other test shares.
    pub fn control_plane(&self) -> &ControlPlane {
        &self.control_plane
    }

    /// The administrator's client, for this test's runtime.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn admin(&self) -> Result<Client> {
        self.control_plane.admin().await
    }

    /// A client that acts as a user without more groups than every authenticated user has.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn user(&self, name: &str) -> Result<Client> {
        client_as(self.kubeconfig(), name, &["system:authenticated"]).await
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        self.control_plane.kubeconfig()
    }

    /// A folder for files of the tests.
    pub fn scratch(&self) -> &Path {
        self.control_plane.scratch()
    }

    /// Makes a namespace that no other test has, and gives its name.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn namespace(&self) -> Result<String> {
        self.labelled_namespace(&[]).await
    }

    /// Makes a namespace that is an OpenStack project.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn project(&self) -> Result<String> {
        self.labelled_namespace(&[(ostler_crds::names::PROJECT_LABEL, "true")]).await
    }

    async fn labelled_namespace(&self, labels: &[(&str, &str)]) -> Result<String> {
        let name = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        make_namespace(&self.admin().await?, &name, labels).await?;
        Ok(name)
    }

    /// The manager's ServiceAccount.
    ///
    /// # Errors
    /// The API server refuses a token.
    pub async fn manager(&self) -> Result<Identity> {
        self.identity("manager", None).await
    }

    /// The node role's ServiceAccount on a Node of this name, which is made if it does not exist.
    ///
    /// # Errors
    /// The API server refuses a token.
    pub async fn node(&self, node: &str) -> Result<Identity> {
        self.identity("node", Some(node)).await
    }

    /// The shim's ServiceAccount.
    ///
    /// # Errors
    /// The API server refuses a token.
    pub async fn shim(&self) -> Result<Identity> {
        self.identity("api-shim", None).await
    }

    /// A folder with the chart's certificate for the shim's stream port: ca.crt, tls.crt, tls.key.
    ///
    /// # Errors
    /// The chart made none, or the files cannot be written.
    pub async fn stream_certificate(&self) -> Result<PathBuf> {
        let secrets: Api<Secret> = Api::namespaced(self.admin().await?, NAMESPACE);
        let data = secrets.get(&format!("{RELEASE}-api-shim-tls")).await?.data.unwrap_or_default();
        let dir = self.scratch().join("stream-tls");
        std::fs::create_dir_all(&dir)?;
        for (name, bytes) in data {
            std::fs::write(dir.join(name), bytes.0)?;
        }
        Ok(dir)
    }

    async fn identity(&self, part: &str, node: Option<&str>) -> Result<Identity> {
        Identity::make(&self.admin().await?, self.kubeconfig(), self.scratch(), part, node).await
    }
}
