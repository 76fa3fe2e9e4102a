//! A world for the node role: a control plane with the chart, the manager, a libvirtd of its own, and the test guest.

mod guest;
mod shown;
pub mod slow_server;

use std::time::Duration;

use anyhow::{Context, Result};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams},
};
use ostler_crds::{Host, Image, Server, image::ImageState};
use ostler_test_harness::{
    Cluster, FileServer, GuestImage, LibvirtNode, Process,
    apply::apply_yaml,
    paths::binary,
    wait_for,
    workload::{self, NodeSettings, Shim, Workload},
};
use serde_json::Value;

pub use shown::{condition_reason, has_done, state, told};

/// How long anything may take on a busy machine. A boot alone takes 5 s of a processor.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Name of the host.
pub const NODE: &str = "n1";

/// What every Server here names.
pub const CATALOG: &str = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: small}
spec: {vcpus: 1, memoryMiB: 128, diskGiB: 1}
---
apiVersion: compute.ostler.dev/v1alpha1
kind: Network
metadata: {name: lan}
spec: {default: true, subnets: [{cidr: 10.77.0.0/24}]}
";

/// All parts, of which the node role can be killed and started again.
pub struct World {
    // Dropped first: their logs are in the control plane's folder.
    /// The node role, while it runs.
    pub node_role: Option<Workload>,
    /// The manager.
    pub manager: Workload,
    /// The OpenStack front, where a test needs it.
    pub front: Option<Shim>,
    /// The control plane.
    pub cluster: Cluster,
    /// The administrator.
    pub client: Client,
    /// Serves `tiny.qcow2`.
    pub files: FileServer,
    /// libvirtd.
    pub libvirt: LibvirtNode,
    /// A project.
    pub namespace: String,
    /// Further flags of the node role, from its next start on.
    pub node_flags: Vec<&'static str>,
}

impl World {
    /// All parts running, with a Flavor `small`, a Network `lan` and an Image `tiny`.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn new(name: &str) -> Result<Self> {
        Self::on(LibvirtNode::start(name)?).await
    }

    /// The same with an OpenStack front, which keeps images; `flags` are further ones of its.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn with_front(name: &str, flags: &[&str]) -> Result<Self> {
        Self::build(LibvirtNode::start(name)?, Some(flags)).await
    }

    /// The same on this libvirtd.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn on(libvirt: LibvirtNode) -> Result<Self> {
        Self::build(libvirt, None).await
    }

    /// Both.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn on_with_front(libvirt: LibvirtNode) -> Result<Self> {
        Self::build(libvirt, Some(&[])).await
    }

    async fn build(libvirt: LibvirtNode, front: Option<&[&str]>) -> Result<Self> {
        let cluster = Cluster::start(&[]).await?;
        let client = cluster.admin().await?;
        let namespace = cluster.project().await?;
        let image = GuestImage::get()?;
        let served = cluster.scratch().join("images");
        std::fs::create_dir_all(&served)?;
        std::fs::copy(image.path(), served.join("tiny.qcow2"))?;
        let files = FileServer::start(&served, None).await?;
        let manager = workload::manager(&cluster, "manager", &["--image-allow-cidr=127.0.0.0/8"]).await?;
        let front = match front {
            Some(flags) => Some(workload::shim(&cluster, "shim", flags).await?),
            None => None,
        };
        let node_flags = vec!["--image-allow-cidr=127.0.0.0/8"];
        let mut world =
            Self { cluster, client, files, libvirt, namespace, node_role: None, manager, front, node_flags };
        world.start_node_role().await?;
        world.apply(CATALOG).await?;
        world.apply(&image_yaml("tiny", &world.files.url("tiny.qcow2"), image.sha256())).await?;
        Ok(world)
    }

    /// Starts the node role and waits until it is ready.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn start_node_role(&mut self) -> Result<()> {
        let settings = NodeSettings {
            node: NODE,
            libvirt_uri: self.libvirt.uri(),
            network_namespace: &self.libvirt.network_namespace()?,
            state_dir: self.libvirt.state_dir(),
            shim_address: self.front.as_ref().map_or("127.0.0.1:1", |front| &front.stream_address),
            more: &self.node_flags,
        };
        self.node_role = Some(workload::node(&self.cluster, &settings).await?);
        Ok(())
    }

    /// Ends the node role with SIGKILL.
    pub fn kill_node_role(&mut self) {
        if let Some(mut workload) = self.node_role.take() {
            workload.process.kill();
        }
    }

    /// Ends the node role with SIGKILL and starts the same again, without waiting for anything: nobody need be there.
    ///
    /// # Errors
    /// It does not run.
    pub fn restart_node_role(&mut self) -> Result<()> {
        let mut workload = self.node_role.take().context("no node role")?;
        let proc = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", workload.process.pid()));
        let (line, env) = (proc("cmdline")?, proc("environ")?);
        let args: Vec<String> = line.split('\0').skip(1).filter(|a| !a.is_empty()).map(str::to_owned).collect();
        let env: Vec<_> =
            env.split('\0').filter_map(|v| v.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
        workload.process.kill();
        let process = Process::start("node-again", &binary("controller")?, &args, &env, self.cluster.scratch())?;
        self.node_role = Some(Workload { process, health: workload.health });
        Ok(())
    }

    /// Applies YAML in the project.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn apply(&self, yaml: &str) -> Result<()> {
        apply_yaml(&self.client, yaml, &self.namespace).await.map(drop)
    }

    /// Applies a Server of the image `tiny` with more fields of the spec.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn create(&self, name: &str, more: &str) -> Result<()> {
        self.apply(&format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: {name}}}\nspec: {{flavor: small, \
             image: tiny{more}}}\n"
        ))
        .await
    }

    /// Servers of the project.
    pub fn servers(&self) -> Api<Server> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The Server.
    ///
    /// # Errors
    /// There is none.
    pub async fn server(&self, name: &str) -> Result<Server> {
        Ok(self.servers().get(name).await?)
    }

    /// Waits until the Image may be used.
    ///
    /// # Errors
    /// It does not get so.
    pub async fn wait_image(&self, name: &str) -> Result<()> {
        let images: Api<Image> = Api::namespaced(self.client.clone(), &self.namespace);
        wait_for(&format!("image {name}"), PATIENCE, || async {
            let image = images.get(name).await?;
            Ok(image.status.filter(|s| s.state == Some(ImageState::Active)).map(drop))
        })
        .await
    }

    /// The Host.
    ///
    /// # Errors
    /// There is none.
    pub async fn host(&self) -> Result<Host> {
        Ok(Api::<Host>::all(self.client.clone()).get(NODE).await?)
    }

    /// Changes a Server's spec by a merge patch.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn change(&self, name: &str, spec: Value) -> Result<()> {
        let patch = serde_json::json!({ "spec": spec });
        self.servers().patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        Ok(())
    }

    /// Waits until `holds` of the Server.
    ///
    /// # Errors
    /// It does not come to that; the error has the Server's status.
    pub async fn wait(&self, name: &str, what: &str, holds: impl Fn(&Server) -> bool) -> Result<Server> {
        let api = self.servers();
        let waited = wait_for(&format!("{name}: {what}"), PATIENCE, || async {
            Ok(api.get_opt(name).await?.filter(|s| holds(s)))
        })
        .await;
        match waited {
            Ok(server) => Ok(server),
            Err(error) => Err(error.context(format!("{:?}", api.get_opt(name).await?.and_then(|s| s.status)))),
        }
    }

    /// Waits until the Server is Ready at its present generation.
    ///
    /// # Errors
    /// It does not get so.
    pub async fn wait_ready(&self, name: &str) -> Result<Server> {
        self.wait(name, "Ready at its generation", |s| {
            let seen = s.status.as_ref().and_then(|s| s.observed_generation);
            condition_reason(s, "Ready") == Some("AsWished") && seen == s.metadata.generation
        })
        .await
    }

    /// Deletes a Server and waits until it is gone.
    ///
    /// # Errors
    /// It does not go.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let api = self.servers();
        api.delete(name, &DeleteParams::default()).await?;
        wait_for(&format!("{name} to be gone"), PATIENCE, || async {
            Ok(api.get_opt(name).await?.is_none().then_some(()))
        })
        .await
    }
}

/// An Image that is fetched from a web server.
pub fn image_yaml(name: &str, url: &str, sha256: &str) -> String {
    format!(
        "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {{name: {name}}}\nspec: {{diskFormat: qcow2, \
         source: {{http: {{url: \"{url}\", sha256: \"{sha256}\"}}}}}}\n"
    )
}
