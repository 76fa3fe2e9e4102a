//! The parts, and starting our programs anew when they were built anew.

use std::time::SystemTime;

use anyhow::{Context, Result};
use kube::Client;
use ostler_test_harness::{
    Cluster, LibvirtNode,
    paths::binary,
    workload::{self, NodeSettings, Shim, Workload},
};

use crate::furnish::{Furniture, furnish};

/// Names of the hosts.
const HOSTS: [&str; 1] = ["n1"];

/// All parts. They end with this value, and with the process.
#[derive(Debug)]
pub struct Stack {
    // Fields drop in order: our programs before what they use.
    programs: Option<Programs>,
    hosts: Vec<LibvirtNode>,
    cluster: Cluster,
    furniture: Furniture,
}

#[derive(Debug)]
struct Programs {
    _nodes: Vec<Workload>,
    _manager: Workload,
    shim: Shim,
}

impl Programs {
    async fn start(cluster: &Cluster, hosts: &[LibvirtNode]) -> Result<Self> {
        let administration = workload::identity_administration();
        let shim = workload::shim(cluster, "shim", &administration.each_ref().map(String::as_str)).await?;
        // Images may be fetched from this machine.
        let manager = workload::manager(cluster, "manager", &["--image-allow-cidr=127.0.0.0/8"]).await?;
        let mut nodes = Vec::new();
        for (node, libvirt) in HOSTS.iter().zip(hosts) {
            let settings = NodeSettings {
                node,
                libvirt_uri: libvirt.uri(),
                network_namespace: &libvirt.network_namespace()?,
                state_dir: libvirt.state_dir(),
                shim_address: &shim.stream_address,
                more: &[],
            };
            nodes.push(workload::node(cluster, &settings).await?);
        }
        Ok(Self { _nodes: nodes, _manager: manager, shim })
    }
}

impl Stack {
    /// Starts all, with accounts, flavors, a network and images.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn start() -> Result<Self> {
        let cluster = Cluster::start(&["apiShim.identityAdministration=true"]).await?;
        let hosts = HOSTS.iter().map(|name| LibvirtNode::start(name)).collect::<Result<Vec<_>>>()?;
        let programs = Programs::start(&cluster, &hosts).await?;
        let admin: Client = cluster.admin().await?;
        let furniture = furnish(&admin, &programs.shim.url, &HOSTS).await?;
        Ok(Self { programs: Some(programs), hosts, cluster, furniture })
    }

    /// Ends our programs and starts those that lie in the target folder now. Guests go on.
    ///
    /// # Errors
    /// One does not start.
    pub async fn restart_programs(&mut self) -> Result<()> {
        self.programs = None;
        self.programs = Some(Programs::start(&self.cluster, &self.hosts).await?);
        Ok(())
    }

    /// `http://127.0.0.1:PORT` of the shim.
    ///
    /// # Errors
    /// The programs do not run, because a restart failed.
    pub fn url(&self) -> Result<&str> {
        Ok(&self.programs.as_ref().context("the programs do not run")?.shim.url)
    }

    /// Ids of flavors and images.
    pub fn furniture(&self) -> &Furniture {
        &self.furniture
    }

    /// The folder of our programs' logs, `shim.log`, `manager.log`, `node-n1.log`; and the administrator's kubeconfig.
    pub fn places(&self) -> (String, String) {
        (self.cluster.scratch().display().to_string(), self.cluster.kubeconfig().display().to_string())
    }
}

/// Which builds of our programs lie in the target folder.
///
/// # Errors
/// One is missing.
pub fn built() -> Result<String> {
    let mut times = Vec::new();
    for name in ["controller", "api-shim"] {
        let path = binary(name)?;
        let time = std::fs::metadata(&path)?.modified()?.duration_since(SystemTime::UNIX_EPOCH)?;
        times.push(time.as_nanos().to_string());
    }
    Ok(times.join(" "))
}
