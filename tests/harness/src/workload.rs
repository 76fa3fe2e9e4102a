//! Our binaries, started with the flags that the chart gives them and under the chart's ServiceAccounts.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::chart::{NAMESPACE, RELEASE};
use crate::cluster::Cluster;
use crate::identity::Identity;
use crate::paths::binary;
use crate::process::{Process, tail};
use crate::wait::wait_for;

/// How long a workload may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// One of our binaries that runs and is ready.
#[derive(Debug)]
pub struct Workload {
    /// The process.
    pub process: Process,
    /// `http://127.0.0.1:PORT` with /healthz, /readyz and /metrics.
    pub health: String,
}

/// A port on loopback that was free just now.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The manager; `more` are further flags, for example `--image-allow-cidr=127.0.0.0/8`.
///
/// # Errors
/// It is not ready in 30 s.
pub async fn manager(cluster: &Cluster, identity: &str, more: &[&str]) -> Result<Workload> {
    let scratch = cluster.scratch().join(format!("scratch-{identity}"));
    std::fs::create_dir_all(&scratch)?;
    let port = free_port()?;
    let mut args = vec![
        "manager".to_owned(),
        format!("--namespace={NAMESPACE}"),
        format!("--identity={identity}"),
        format!("--health-addr=127.0.0.1:{port}"),
        format!("--scratch-dir={}", scratch.display()),
    ];
    args.extend(more.iter().map(|a| (*a).to_owned()));
    start(cluster, identity, "controller", args, &cluster.manager().await?, port).await
}

/// What a node role needs to know beside its identity.
#[derive(Debug, Clone)]
pub struct NodeSettings<'a> {
    /// Name of the Node and of the Host.
    pub node: &'a str,
    /// libvirt's URI.
    pub libvirt_uri: &'a str,
    /// The network namespace of libvirt's bridges.
    pub network_namespace: &'a Path,
    /// Folder for disks, the same for QEMU and for the node role.
    pub state_dir: &'a Path,
    /// The shim's stream port, `127.0.0.1:PORT`; its certificate is the chart's.
    pub shim_address: &'a str,
    /// Further flags.
    pub more: &'a [&'a str],
}

/// A node role.
///
/// # Errors
/// It is not ready in 30 s.
pub async fn node(cluster: &Cluster, settings: &NodeSettings<'_>) -> Result<Workload> {
    let identity = cluster.node(settings.node).await?;
    let (health, streams) = (free_port()?, free_port()?);
    let mut args = vec![
        "node".to_owned(),
        format!("--node-name={}", settings.node),
        format!("--namespace={NAMESPACE}"),
        format!("--libvirt-uri={}", settings.libvirt_uri),
        format!("--state-dir={}", settings.state_dir.display()),
        format!("--listen-addr=127.0.0.1:{streams}"),
        "--advertise-address=127.0.0.1".to_owned(),
        format!("--health-addr=127.0.0.1:{health}"),
        "--accelerator=auto".to_owned(),
        format!("--network-namespace={}", settings.network_namespace.display()),
        format!("--shim-url=https://{RELEASE}-api-shim.{NAMESPACE}.svc:8443"),
        format!("--shim-address={}", settings.shim_address),
        format!("--shim-ca={}", cluster.stream_certificate().await?.join("ca.crt").display()),
        format!("--token-file={}", identity.stream_token.display()),
    ];
    args.extend(settings.more.iter().map(|a| (*a).to_owned()));
    start(cluster, &format!("node-{}", settings.node), "controller", args, &identity, health).await
}

/// A shim that runs, and where.
#[derive(Debug)]
pub struct Shim {
    /// The process.
    pub workload: Workload,
    /// `http://127.0.0.1:PORT`: version documents of all services; Keystone is at `/v3`.
    pub url: String,
    /// `127.0.0.1:PORT` of the stream port.
    pub stream_address: String,
}

/// The flags that the chart gives to a shim of `apiShim.identityAdministration`.
pub fn identity_administration() -> [String; 4] {
    [("view", "view"), ("edit", "edit"), ("admin", "platform-admin"), ("identity-admin", "identity-admin")]
        .map(|(role, part)| format!("--{role}-role={RELEASE}-{part}"))
}

/// The shim.
///
/// # Errors
/// It is not ready in 30 s.
pub async fn shim(cluster: &Cluster, name: &str, more: &[&str]) -> Result<Shim> {
    let identity = cluster.shim().await?;
    let images = cluster.scratch().join(format!("images-{name}"));
    std::fs::create_dir_all(&images)?;
    let (port, streams, health) = (free_port()?, free_port()?, free_port()?);
    let tls = cluster.stream_certificate().await?;
    let mut args = vec![
        "serve".to_owned(),
        format!("--namespace={NAMESPACE}"),
        format!("--listen-addr=127.0.0.1:{port}"),
        format!("--stream-addr=127.0.0.1:{streams}"),
        format!("--tls-cert={}", tls.join("tls.crt").display()),
        format!("--tls-key={}", tls.join("tls.key").display()),
        format!("--image-dir={}", images.display()),
        format!("--token-file={}", identity.stream_token.display()),
        format!("--health-addr=127.0.0.1:{health}"),
    ];
    args.extend(more.iter().map(|a| (*a).to_owned()));
    let workload = start(cluster, name, "api-shim", args, &identity, health).await?;
    Ok(Shim { workload, url: format!("http://127.0.0.1:{port}"), stream_address: format!("127.0.0.1:{streams}") })
}

async fn start(
    cluster: &Cluster,
    name: &str,
    program: &str,
    args: Vec<String>,
    identity: &Identity,
    health_port: u16,
) -> Result<Workload> {
    let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
    let env = [("KUBECONFIG".to_owned(), identity.kubeconfig.display().to_string()), ("RUST_LOG".to_owned(), level)];
    let mut process = Process::start(name, &binary(program)?, &args, &env, cluster.scratch())?;
    let health = format!("http://127.0.0.1:{health_port}");
    let url = format!("{health}/readyz");
    let http = reqwest::Client::builder().no_proxy().build()?;
    let ready = wait_for(&format!("{name} to be ready"), PATIENCE, || {
        let ended = process.ended();
        let answer = http.get(&url).timeout(Duration::from_secs(2)).send();
        async move {
            if let Some(status) = ended {
                bail!("it ended ({status})");
            }
            Ok(answer.await.is_ok_and(|a| a.status().is_success()).then_some(()))
        }
    })
    .await;
    match ready {
        Ok(()) => Ok(Workload { process, health }),
        Err(error) => Err(error.context(format!("{name}; the end of its log:\n{}", tail(&process.log(), 30)))),
    }
}
