//! The node role: runs the guests of this machine.
//!
//! ```text
//!   watch ──► pass ──► observe ──► engine::guest (validate, decide) ──► act ──► report
//!     ▲                   ▲                                              │
//!   API server,        libvirt, storage ◄────────────────────────────────┘
//!   libvirt's events
//!
//!   beside it: fetch (images that come), snapshot (images that are made of guests),
//!              host (the Host object and its heartbeat), console (streams over HTTPS),
//!              image_cache (what goes when there is no room),
//!              metadata (for guests), port_filter (whom guests may reach), port_rules (SecurityGroups), health and
//!              metrics
//! ```
//!
//! Starting, stopping or killing this process touches no guest: domains are persistent and QEMU is libvirt's child.

mod act;
mod clock;
mod console;
mod fetch;
mod gate;
mod host;
mod image_cache;
mod lock;
mod metadata;
mod metrics;
mod network_namespace;
mod observe;
mod pass;
mod port_filter;
mod port_rules;
mod remember;
mod report;
mod retry;
mod signals;
mod snapshot;
pub mod storage;
mod strays;
mod watch;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::ValueEnum;
use kube::{
    Client,
    runtime::reflector::{self, Store},
};
use ostler_crds::{
    Network,
    host::{Accelerator, HostEndpoint},
};
use ostler_hypervisor::{GuestEvent, Hypervisor, HypervisorError};
use ostler_libvirt::{Config, LibvirtHypervisor};
use prometheus_client::registry::Registry;
use thiserror::Error;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    clock::SteadyClock,
    console::{Authorizer, Streams, tls},
    fetch::Fetches,
    gate::BootGate,
    host::ThisHost,
    image_cache::SeenCache,
    metadata::MetadataService,
    metrics::Metrics,
    network_namespace::NetworkNamespace,
    port_filter::PortFilter,
    port_rules::PortRules,
    remember::Memories,
    retry::Retries,
    signals::Signals,
    snapshot::Snapshots,
    storage::{ImageCache, Layout, Storage, shim},
    watch::Servers,
};
use crate::{
    common::{client, events::Events, health},
    image,
};

/// Settings of the node role.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "node")]
pub struct Args {
    /// Name of the Kubernetes Node, and so of the Host.
    #[arg(long, env = "NODE_NAME")]
    pub node_name: String,
    /// Namespace of the release; the heartbeat is there.
    #[arg(long, env = "POD_NAMESPACE")]
    pub namespace: String,
    /// URI of the local libvirt.
    #[arg(long, env = "OSTLER_LIBVIRT_URI", default_value = "qemu:///system")]
    pub libvirt_uri: String,
    /// Folder for images and guests. QEMU's user must be able to pass through the folders above it.
    #[arg(long, env = "OSTLER_STATE_DIR", default_value = "/var/lib/ostler")]
    pub state_dir: PathBuf,
    /// Address for the streams (console logs), over HTTPS.
    #[arg(long, env = "OSTLER_LISTEN_ADDR", default_value = "0.0.0.0:10350")]
    pub listen_addr: SocketAddr,
    /// Address at which the OpenStack front reaches this machine.
    #[arg(long, env = "HOST_IP")]
    pub advertise_address: IpAddr,
    /// Address for /healthz, /readyz and /metrics.
    #[arg(long, env = "OSTLER_HEALTH_ADDR", default_value = "127.0.0.1:10351")]
    pub health_addr: SocketAddr,
    /// How guests run. `auto`: hardware virtualization where it is proven to work, else QEMU's translator.
    #[arg(long, env = "OSTLER_ACCELERATOR", value_enum, default_value = "auto")]
    pub accelerator: AcceleratorChoice,
    /// Guests that start at once.
    #[arg(long, env = "OSTLER_BOOTS_AT_ONCE", default_value_t = 4)]
    pub boots_at_once: usize,
    /// Seconds for which a started guest counts as booting. Default: 5 with the translator, 0 with hardware.
    #[arg(long, env = "OSTLER_BOOT_SECONDS")]
    pub boot_seconds: Option<u64>,
    /// Network namespace that libvirt's bridges are in, where it is not this process's own, as /run/netns/NAME. To enter
    /// it needs CAP_SYS_ADMIN.
    #[arg(long, env = "OSTLER_NETWORK_NAMESPACE")]
    pub network_namespace: Option<PathBuf>,
    /// Whom guests may reach.
    #[command(flatten)]
    pub port_filter: port_filter::Args,
    /// What guests are served.
    #[command(flatten)]
    pub metadata: metadata::Args,
    /// How much room images may take.
    #[command(flatten)]
    pub image_cache: image_cache::Args,
    /// How images are fetched from web servers.
    #[command(flatten)]
    pub image: image::Args,
    /// How images are fetched from the OpenStack front.
    #[command(flatten)]
    pub shim: shim::Args,
}

/// How guests run.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceleratorChoice {
    /// Found out.
    Auto,
    /// Hardware virtualization.
    Kvm,
    /// QEMU's translator.
    Tcg,
}

/// Why the node role ended.
#[derive(Debug, Error)]
pub enum Error {
    /// The state folder cannot be used.
    #[error("the state folder {0} cannot be used: {1}")]
    State(PathBuf, std::io::Error),
    /// Another node role runs here.
    #[error(transparent)]
    Lock(#[from] lock::LockError),
    /// libvirt's client library cannot be used.
    #[error("libvirt's client library cannot be used: {0}")]
    Hypervisor(#[from] HypervisorError),
    /// No usable kubeconfig or ServiceAccount.
    #[error("no way to the API server: {0}")]
    Kubernetes(#[source] Box<kube::Error>),
    /// The image fetcher cannot be made.
    #[error("images cannot be fetched: {0}")]
    Fetcher(#[from] reqwest::Error),
    /// The certificate of the streams cannot be made.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The key of the metadata service cannot be had.
    #[error(transparent)]
    MetadataKey(#[from] metadata::KeyError),
    /// A server could not listen, or broke.
    #[error("serving {0}: {1}")]
    Serve(&'static str, std::io::Error),
}

/// All that a pass needs.
struct Node<H> {
    /// Makes passes happen.
    signals: Signals,
    name: String,
    client: Client,
    hypervisor: Arc<H>,
    storage: Arc<Storage>,
    cache: SeenCache,
    fetches: Fetches,
    snapshots: Snapshots<H>,
    servers: Servers,
    networks: Store<Network>,
    host: Arc<ThisHost>,
    memories: Memories,
    retries: Retries,
    gate: BootGate,
    clock: SteadyClock,
    port_filter: PortFilter,
    port_rules: PortRules,
    metadata: MetadataService,
    events: Events,
    metrics: Metrics,
}

/// Runs until `shutdown`.
pub async fn run(args: Args, shutdown: CancellationToken) -> Result<(), Error> {
    let layout = Layout::new(&args.state_dir);
    let state = |e| Error::State(args.state_dir.clone(), e);
    layout.create().map_err(state)?;
    let lock = lock::take(layout.lock())?;
    match storage::leftovers::clean(&layout).map_err(state)? {
        0 => {}
        removed => tracing::info!(removed, "removed what an earlier crash left unfinished"),
    }
    let accelerator = match args.accelerator {
        AcceleratorChoice::Auto => None,
        AcceleratorChoice::Kvm => Some(Accelerator::Kvm),
        AcceleratorChoice::Tcg => Some(Accelerator::Tcg),
    };
    let config = Config { uri: args.libvirt_uri.clone(), state_dir: args.state_dir.clone(), accelerator };
    let hypervisor = LibvirtHypervisor::connect(config)?;
    let ended = run_with(hypervisor, args, layout, shutdown).await;
    drop(lock);
    ended
}

/// Runs over any hypervisor. The caller holds the host's lock.
async fn run_with<H: Hypervisor>(
    hypervisor: H,
    args: Args,
    layout: Layout,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let client = client::connect().await.map_err(|e| Error::Kubernetes(Box::new(e)))?;
    let tls = tls::identity(&args.node_name, args.advertise_address)?;
    let url = format!("https://{}", SocketAddr::new(args.advertise_address, args.listen_addr.port()));
    let front = shim::ShimSource::new(args.shim.clone());
    let cache = ImageCache::new(layout.clone(), image::Fetcher::new(&args.image)?, front.clone());
    let hypervisor = Arc::new(hypervisor);
    let mut registry = Registry::default();
    let (servers, writer) = reflector::store();
    let (networks, keep_networks) = watch::networks(client.clone());
    let (servers, storage) = (Servers(servers), Arc::new(Storage::new(layout.clone(), cache)));
    let (signals, metrics) = (Signals::default(), Metrics::new(&mut registry));
    let namespace = NetworkNamespace::new(args.network_namespace.clone());
    let host = Arc::new(ThisHost::new(HostEndpoint { url, ca_bundle: tls.pem }));
    let port_filter = PortFilter::new(&args.port_filter, args.metadata.metadata_service, namespace.clone());
    let (port_rules, groups) = PortRules::new(servers.clone(), namespace.clone());
    let metadata = MetadataService::new(
        &args.metadata,
        namespace,
        servers.clone(),
        Arc::clone(&host),
        layout.clone(),
        metrics.clone(),
    )?;
    let node = Arc::new(Node {
        name: args.node_name.clone(),
        snapshots: Snapshots::new(
            Arc::clone(&hypervisor),
            Arc::clone(&storage),
            front,
            servers.clone(),
            signals.clone(),
            metrics.clone(),
        ),
        hypervisor,
        signals: signals.clone(),
        fetches: Fetches::new(Arc::clone(&storage), servers.clone(), signals.clone(), metrics.clone()),
        storage,
        cache: SeenCache::default(),
        servers,
        networks,
        host,
        memories: Memories::default(),
        retries: Retries::default(),
        gate: BootGate::new(args.boots_at_once, args.boot_seconds.map(Duration::from_secs)),
        clock: SteadyClock::new(jiff::Timestamp::now()),
        port_filter,
        port_rules,
        metadata,
        events: Events::new(client.clone(), "ostler-node", &args.node_name),
        metrics,
        client: client.clone(),
    });

    let ready = health::Ready::default();
    let end = shutdown.child_token();
    let tasks = TaskTracker::new();
    let health = health::serve(args.health_addr, ready.clone(), Arc::new(registry), end.clone());
    let streams =
        Streams { servers: node.servers.clone(), layout, authorizer: Arc::new(Authorizer::new(client.clone())) };
    let console = console::serve(args.listen_addr, tls.config, streams, end.clone());
    tasks.spawn(port_rules::follow(node.clone(), client.clone(), groups, end.clone()));
    tasks.spawn(host::heartbeat::run(client, args.namespace.clone(), args.node_name.clone(), end.clone()));
    tasks.spawn(end.clone().run_until_cancelled_owned(keep_networks));
    let published = move || ready.set(true);
    tasks.spawn(host::run(node.clone(), published, end.clone()));
    tasks.spawn(port_filter::run(node.clone(), end.clone()));
    tasks.spawn(port_rules::run(node.clone(), end.clone()));
    tasks.spawn(metadata::run(node.clone(), end.clone()));
    tasks.spawn(image_cache::run(node.clone(), args.image_cache.image_cache_limit, end.clone()));
    tasks.spawn(reconcile(node, writer, signals, end.clone()));
    tasks.close();

    let ended = tokio::select! {
        r = health => r.map_err(|e| Error::Serve("health and metrics", e)),
        r = console => r.map_err(|e| Error::Serve("streams", e)),
        () = shutdown.cancelled() => Ok(()),
    };
    end.cancel();
    // Passes that are under way end well; fetches of images are cut off and begin anew at the next start.
    if tokio::time::timeout(Duration::from_secs(20), tasks.wait()).await.is_err() {
        tracing::warn!("a pass was still under way; it is repeated at the next start");
    }
    ended
}

/// Reconciles once the Networks are known: without them a guest's network would look deleted.
async fn reconcile<H: Hypervisor>(
    node: Arc<Node<H>>,
    writer: reflector::store::Writer<watch::Guarded>,
    signals: Signals,
    end: CancellationToken,
) {
    let Some(Ok(())) = end.run_until_cancelled(node.networks.wait_until_ready()).await else { return };
    // Without them a guest would be started with rules that do not hold.
    if end.run_until_cancelled(node.port_rules.wait_until_known()).await.is_none() {
        return;
    }
    // A machine that was away may have been fenced, and its guests may live elsewhere by now.
    if end.run_until_cancelled(node.host.known_fence()).await.is_none() {
        return;
    }
    if node.host.is_fenced() {
        strays::power_off(&node).await;
    } else {
        strays::remove(&node).await;
    }
    let (told, listener) = (signals.clone(), Arc::downgrade(&node));
    node.hypervisor.subscribe(Box::new(move |event| {
        if let (GuestEvent::Resync | GuestEvent::Disconnected, Some(node)) = (event, listener.upgrade()) {
            node.host.changed.notify_one();
            node.port_filter.forgotten.notify_one();
            node.metadata.forgotten.notify_one();
        }
        told.tell(event);
    }));
    watch::run(node, writer, signals, end).await;
}
