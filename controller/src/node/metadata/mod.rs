//! The metadata service at 169.254.169.254 of every Network (docs/metadata-service.md).
//!
//! ```text
//!   guest ── 169.254.169.254:80 ──► bridge ── rule of the bridge: this address is local ──► listener of the bridge
//!                                                                                              │
//!                     engine::guest::metadata::answer ◄── Server with this network and address ◄┘
//! ```
//!
//! Who asks is known by the bridge that the connection came in on, and by its source address; the filter at the guest's
//! port (0010) lets it use no other. The host's own use of 169.254.169.254 is not touched (docs/decisions/0012).

mod caller;
mod key;
mod listen;
mod route;
mod serve;

use std::{collections::HashMap, num::NonZeroU32, sync::Arc, time::Duration};

use ostler_engine::guest::{Failure, FailureKind, metadata::token::Sealer};
use ostler_hypervisor::{Hypervisor, ObservedNetwork};
use tokio::sync::{Mutex, Notify};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use self::serve::Answers;
use super::{
    Node, host::ThisHost, metrics::Metrics, network_namespace::NetworkNamespace, storage::Layout, watch::Servers,
};
pub use key::KeyError;

/// How often the host's networks are looked at.
const PERIOD: Duration = Duration::from_secs(30);
const DOING: &str = "cannot serve metadata to guests";

/// Settings of the metadata service.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "metadata")]
pub struct Args {
    /// Whether guests are served metadata at 169.254.169.254. Needs CAP_NET_ADMIN and CAP_NET_BIND_SERVICE.
    #[arg(long, env = "OSTLER_METADATA_SERVICE", default_value_t = true, action = clap::ArgAction::Set)]
    pub metadata_service: bool,
}

/// The service, on all bridges of this host.
pub struct MetadataService {
    enabled: bool,
    namespace: NetworkNamespace,
    answers: Answers,
    bridges: Mutex<HashMap<String, Listening>>,
    /// Rung when libvirt came back, maybe with other bridges.
    pub forgotten: Notify,
}

/// A listener on one bridge; ends with this.
struct Listening {
    device: NonZeroU32,
    _task: AbortOnDropHandle<()>,
}

impl MetadataService {
    /// A service that listens nowhere yet. Fails when the key of its tokens cannot be had.
    pub fn new(
        args: &Args,
        namespace: NetworkNamespace,
        servers: Servers,
        host: Arc<ThisHost>,
        layout: Layout,
        metrics: Metrics,
    ) -> Result<Self, KeyError> {
        let sealer = Sealer::new(&key::load(&layout.metadata_key())?);
        let answers = Answers::new(servers, host, layout, sealer, metrics);
        Ok(Self {
            enabled: args.metadata_service,
            namespace,
            answers,
            bridges: Mutex::default(),
            forgotten: Notify::new(),
        })
    }

    /// Has the service on all networks of this host, and none on others.
    ///
    /// # Errors
    /// libvirt does not answer, or the kernel refuses the rules or a listener.
    pub async fn ensure<H: Hypervisor>(&self, hypervisor: &H) -> Result<(), Failure> {
        if !self.enabled {
            return Ok(());
        }
        let mut bridges = self.bridges.lock().await;
        let networks = hypervisor.observe_networks().await.map_err(|e| Failure::of_hypervisor(e, DOING))?;
        let refused = |what: &str, error: &dyn std::fmt::Display| {
            Failure::new(FailureKind::MetadataService, DOING, format!("{what}: {error}"))
        };
        let names: Vec<&str> = networks.iter().map(|network| network.bridge.as_str()).collect();
        route::ensure(&self.namespace, &names).await.map_err(|e| refused("the routing rules of the bridges", &e))?;
        bridges.retain(|bridge, _| names.contains(&bridge.as_str()));
        for ObservedNetwork { name, bridge } in &networks {
            let device = listen::device(&self.namespace, bridge).map_err(|e| refused(bridge, &e))?;
            // A bridge that was made anew is another device, and nothing comes to a listener of the old one.
            if bridges.get(bridge).is_some_and(|listening| listening.device == device) {
                continue;
            }
            bridges.remove(bridge);
            let listener = listen::bind(&self.namespace, bridge).map_err(|e| refused(bridge, &e))?;
            let task = tokio::spawn(listen::run(listener, name.clone(), self.answers.clone()));
            tracing::info!(network = name, bridge, "metadata is served");
            bridges.insert(bridge.clone(), Listening { device, _task: AbortOnDropHandle::new(task) });
        }
        Ok(())
    }
}

/// Keeps the service until `shutdown`.
pub async fn run<H: Hypervisor>(node: Arc<Node<H>>, shutdown: CancellationToken) {
    loop {
        if let Err(failure) = node.metadata.ensure(&node.hypervisor).await {
            tracing::warn!(kind = failure.kind.label(), cause = failure.cause, "{DOING}");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = node.metadata.forgotten.notified() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}
