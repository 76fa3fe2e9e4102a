//! What makes a pass happen: a Server of this host changed, its guest changed, or time is up.
//!
//! ```text
//!   API server ── Servers with status.host = me ──► store ──┐
//!   libvirt ──── Changed(guest), Resync ────────────────────┼──► one pass at a time for each guest
//!   the pass before ── look again in … ─────────────────────┘
//! ```

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt,
        controller::{self, Action, trigger_self},
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use ostler_crds::{Network, Server};
use ostler_engine::guest::identify;
use ostler_hypervisor::{GuestEvent, Hypervisor};
use tokio_util::sync::CancellationToken;

use super::{Node, pass, signals::Signals};
use crate::common::watch::patient;

/// A Server, or why it cannot be read: one bad object must not stop the watch of the others.
pub type Guarded = DeserializeGuard<Server>;

/// Passes at a time. Most wait for libvirt, which takes a few calls at a time anyway.
const CONCURRENCY: u16 = 64;

/// The Servers of this host.
#[derive(Clone)]
pub struct Servers(pub Store<Guarded>);

impl Servers {
    /// The Server with this `metadata.uid`.
    pub fn by_uid(&self, uid: &str) -> Option<Server> {
        let found = self.0.find(|s| s.0.as_ref().is_ok_and(|s| s.metadata.uid.as_deref() == Some(uid)))?;
        found.0.clone().ok()
    }

    /// Those of which `holds` holds.
    pub fn all_where(&self, holds: impl Fn(&Server) -> bool) -> Vec<Server> {
        let found = self.0.state_filter(|s| s.0.as_ref().is_ok_and(&holds));
        found.iter().filter_map(|s| s.0.clone().ok()).collect()
    }

    /// All that can be read.
    pub fn all(&self) -> Vec<Server> {
        self.0.state().iter().filter_map(|s| s.0.clone().ok()).collect()
    }

    /// Whom an event of the hypervisor concerns.
    fn concerned(&self, event: GuestEvent) -> Vec<ObjectRef<Guarded>> {
        let of = |s: &Arc<Guarded>| ObjectRef::from_obj(s.as_ref());
        match event {
            GuestEvent::Resync => self.0.state().iter().map(of).collect(),
            GuestEvent::Disconnected => Vec::new(),
            GuestEvent::Changed(guest) => {
                let is = |s: &Guarded| s.0.as_ref().is_ok_and(|s| identify(s).is_ok_and(|id| id.guest == guest));
                self.0.state_filter(is).iter().map(of).collect()
            }
        }
    }
}

/// The Networks of the cluster by name, and the task that keeps them.
pub fn networks(client: Client) -> (Store<Network>, impl Future<Output = ()> + Send) {
    let (store, writer) = reflector::store();
    let events = patient(watcher(Api::<Network>::all(client), watcher::Config::default().any_semantic()));
    let keep = events.reflect(writer).for_each(|event| {
        if let Err(error) = event {
            tracing::warn!(%error, "watching Networks; trying again");
        }
        std::future::ready(())
    });
    (store, keep)
}

/// The Networks as the engine wants them.
pub fn by_name(store: &Store<Network>) -> BTreeMap<String, Network> {
    store.state().iter().map(|n| (n.name_any(), n.as_ref().clone())).collect()
}

/// Reconciles until `shutdown`; passes that are under way then are finished.
pub async fn run<H: Hypervisor>(
    node: Arc<Node<H>>,
    writer: reflector::store::Writer<Guarded>,
    signals: Signals,
    shutdown: CancellationToken,
) {
    // The newest list there is: one from an older cache may name a Server that is gone, and its guest would be made anew.
    let config = watcher::Config::default().fields(&format!("status.host={}", node.name));
    let touched = Arc::clone(&node);
    let servers = patient(watcher(Api::<Guarded>::all(node.client.clone()), config))
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .touched_objects()
        .inspect_ok(move |_| touched.port_rules.touched())
        .inspect_err(|error| tracing::warn!(%error, "watching Servers; trying again"));
    // An error is told above and the watch goes on by itself.
    let changes = trigger_self(servers.filter_map(|s| std::future::ready(s.ok())).map(Ok::<_, Infallible>), ());
    let queue = stream::select(changes.boxed(), triggers(node.servers.clone(), signals).boxed());
    let until = queue.take_until(shutdown.cancelled_owned());
    let config = controller::Config::default().concurrency(CONCURRENCY);
    let store = node.servers.0.clone();
    controller::applier(reconcile::<H>, |_, never: &Infallible, _| match *never {}, node, store, until, config)
        .for_each(|_| std::future::ready(()))
        .await;
}

fn triggers(
    servers: Servers,
    signals: Signals,
) -> impl Stream<Item = Result<controller::ReconcileRequest<Guarded>, Infallible>> + Send {
    signals.stream().flat_map(move |event| stream::iter(servers.concerned(event))).map(|server| Ok(server.into()))
}

fn reconcile<H: Hypervisor>(
    server: Arc<Guarded>,
    node: Arc<Node<H>>,
) -> futures::future::BoxFuture<'static, Result<Action, Infallible>> {
    async move {
        let server = match &server.0 {
            Ok(server) => server.clone(),
            Err(invalid) => {
                // It came past the schema, so it is of another version of it; its guest is left alone.
                tracing::error!(name = ?invalid.metadata.name, error = invalid.error, "a Server cannot be read");
                return Ok(Action::await_change());
            }
        };
        // A task of its own: a pass is finished even if its caller is dropped.
        match tokio::spawn(async move { pass::pass(&node, server).await }).await {
            Ok(Some(wait)) => Ok(Action::requeue(wait)),
            Ok(None) => Ok(Action::requeue(pass::SAFETY_NET)),
            Err(error) => {
                tracing::error!(%error, "a pass broke off");
                Ok(Action::requeue(std::time::Duration::from_secs(60)))
            }
        }
    }
    .boxed()
}
