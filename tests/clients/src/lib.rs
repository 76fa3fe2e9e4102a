//! A world for OpenStack clients: a control plane with the chart, manager, shim, a node role with a libvirtd of its own,
//! users with roles, and the test guest's image, uploaded by the stock client itself. One for the test binary.

pub mod cli;
pub mod http;
pub mod users;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kube::{Api, Client};
use ostler_crds::{Host, Server, find_condition};
use ostler_test_harness::{
    Cluster, GuestImage, LibvirtNode,
    apply::apply_yaml,
    wait_for,
    workload::{self, NodeSettings, Shim, Workload},
};
use tokio::sync::OnceCell;

pub use cli::Cli;
pub use http::Http;

/// How long anything may take on a busy machine. A boot alone takes 5 s of a processor.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Name of the host.
pub const NODE: &str = "n1";
/// OpenStack name of the test guest's image, which user `ada` uploaded.
pub const IMAGE: &str = "tiny";

/// What every server here may name.
const CATALOG: &str = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: small}
spec: {vcpus: 1, memoryMiB: 128, diskGiB: 1, description: One of the small ones, extraSpecs: {hw:colour: grey}}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: huge}
spec: {vcpus: 2, memoryMiB: 1048576, diskGiB: 1}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: Network
metadata: {name: lan}
spec: {default: true, subnets: [{cidr: 10.77.0.0/24}]}
";

/// All parts. They end with the test process.
pub struct World {
    _node_role: Workload,
    _manager: Workload,
    /// The shim.
    pub shim: Shim,
    /// The control plane.
    pub cluster: Cluster,
    /// libvirtd.
    pub libvirt: LibvirtNode,
    /// The test guest.
    pub image: GuestImage,
    /// The project in which `ada` may edit and `vic` may view.
    pub project: String,
    /// The project of `eve`.
    pub rival: String,
}

impl World {
    /// The one of this test binary, made by the first test that asks.
    ///
    /// # Errors
    /// A part does not start; the next test tries again.
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<World> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::new).await
    }

    async fn new() -> Result<Self> {
        let cluster = Cluster::start(&[]).await?;
        let (project, rival) = (cluster.project().await?, cluster.project().await?);
        let shim = workload::shim(&cluster, "shim", &[]).await?;
        let manager = workload::manager(&cluster, "manager", &[]).await?;
        let libvirt = LibvirtNode::start("cli")?;
        let settings = NodeSettings {
            node: NODE,
            libvirt_uri: libvirt.uri(),
            network_namespace: &libvirt.network_namespace()?,
            state_dir: libvirt.state_dir(),
            shim_address: &shim.stream_address,
            more: &[],
        };
        let node_role = workload::node(&cluster, &settings).await?;
        let image = GuestImage::get()?;
        let world = Self { _node_role: node_role, _manager: manager, shim, cluster, libvirt, image, project, rival };
        world.furnish().await?;
        Ok(world)
    }

    /// What clients find: users, flavors, a network and an image.
    async fn furnish(&self) -> Result<()> {
        let admin = self.admin().await?;
        apply_yaml(&admin, CATALOG, &self.project).await?;
        users::make(&self.project, &self.rival, &admin).await?;
        let hosts: Api<Host> = Api::all(admin);
        wait_for("the host to be ready", PATIENCE, || async {
            let status = hosts.get_opt(NODE).await?.and_then(|h| h.status).unwrap_or_default();
            Ok(find_condition(&status.conditions, "Ready").filter(|c| c.status == "True").map(drop))
        })
        .await?;
        let file = self.image.path().to_str().context("a path that is no UTF-8")?;
        let made = self.ada()?.json(&["image", "create", "--disk-format", "qcow2", "--file", file, IMAGE])?;
        ensure!(made["status"] == "active", "the image is not active: {made}");
        Ok(())
    }

    /// The administrator's client, for this test's runtime.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn admin(&self) -> Result<Client> {
        self.cluster.admin().await
    }

    /// The Servers of the project, as the administrator sees them.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn servers(&self) -> Result<Api<Server>> {
        Ok(Api::namespaced(self.admin().await?, &self.project))
    }

    /// The stock client as `ada`, who may edit in the project.
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn ada(&self) -> Result<Cli> {
        self.cli("ada", &self.project)
    }

    /// The stock client of a user in a project.
    ///
    /// # Errors
    /// It cannot be installed.
    pub fn cli(&self, user: &str, project: &str) -> Result<Cli> {
        Cli::new(&format!("{}/identity/v3", self.shim.url), user, &users::password(user), project)
    }

    /// Plain requests as a user in a project, with a token issued now.
    ///
    /// # Errors
    /// The shim issues none.
    pub async fn http(&self, user: &str, project: &str) -> Result<Http> {
        Http::login(&self.shim.url, user, &users::password(user), project).await
    }

    /// The folder of uploaded images.
    pub fn image_dir(&self) -> PathBuf {
        self.cluster.scratch().join("images-shim")
    }

    /// Waits until the guest has said that it is ready for the `boots`th time, and gives the line.
    ///
    /// # Errors
    /// It does not say so.
    pub async fn wait_booted(&self, guest: &str, boots: usize) -> Result<String> {
        let what = format!("boot {boots} of {guest}");
        let waited = wait_for(&what, PATIENCE, || async { Ok(self.libvirt.ready_line(guest, boots)) });
        waited.await.with_context(|| self.libvirt.console(guest))
    }

    /// What the host still holds of a guest: its domain, folder, and the address's reservation.
    ///
    /// # Errors
    /// virsh fails.
    pub fn traces_of(&self, guest: &str, address: &str) -> Result<Vec<String>> {
        let address = format!("ip='{address}'");
        let mut traces = self.libvirt.traces("ostler-lan")?;
        traces.retain(|t| t.contains(guest) || t.contains(&address));
        Ok(traces)
    }
}
