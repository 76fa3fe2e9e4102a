//! What the leader runs: watches that fill memory, and one controller a kind.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::{FutureExt, Stream, StreamExt, future::join_all, stream};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client,
    runtime::{
        Controller, WatchStreamExt,
        controller::Config,
        reflector::{self, ObjectRef, Store},
        watcher::{self, Event},
    },
};
use ostler_crds::{Flavor, Host, Network, ProjectQuota, Server, ServerGroup};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Context,
    heartbeats::Heartbeats,
    images, key_pairs,
    ledger::Ledger,
    networks,
    place::Placer,
    silent_hosts, snapshots,
    stores::{Stores, events, leases, store, synced},
};
use crate::common::backoff::Backoff;

/// Writes of bindings that may be on their way at once.
const PLACE_CONCURRENCY: u16 = 32;

/// Works until `term` ends.
pub async fn run(context: &Context, term: CancellationToken) {
    let client = &context.client;
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let heartbeats = Arc::new(Heartbeats::default());
    let changed = Arc::new(Notify::new());
    let image_changed = Arc::new(Notify::new());

    let (servers, server_events) = watched_servers(client, Arc::clone(&ledger), Arc::clone(&image_changed));
    let (flavors, f1) = store::<Flavor>(Api::all(client.clone()), told(&changed));
    let image_controller = images::controller(client);
    let key_controller = key_pairs::controller(client);
    let (images, key_pairs) = (image_controller.store(), key_controller.store());
    let (networks, f2) = store::<Network>(Api::all(client.clone()), told(&changed));
    let (hosts, f3) = store::<Host>(Api::all(client.clone()), told(&changed));
    let (quotas, f5) = store::<ProjectQuota>(Api::all(client.clone()), told(&changed));
    let (server_groups, f6) = store::<ServerGroup>(Api::all(client.clone()), told(&changed));
    let beats = beats(Arc::clone(&heartbeats), Arc::clone(&changed));
    let (leases, f4) = store(leases(client, &context.args.namespace), beats);
    let stores = Stores { servers, flavors, images, key_pairs, networks, quotas, server_groups, hosts, leases };

    let placer = Arc::new(Placer {
        context: context.clone(),
        stores: stores.clone(),
        ledger: Arc::clone(&ledger),
        heartbeats: Arc::clone(&heartbeats),
        backoff: Backoff::new(Duration::from_secs(2), Duration::from_secs(60)),
        doubtful: Arc::default(),
    });
    let watch = silent_hosts::Watch {
        context: context.clone(),
        stores: stores.clone(),
        ledger: Arc::clone(&ledger),
        heartbeats: Arc::clone(&heartbeats),
    };
    let fill = join_all([f1.boxed(), f2.boxed(), f3.boxed(), f4.boxed(), f5.boxed(), f6.boxed()]);
    let work = async {
        tokio::join!(
            place(placer, &stores, server_events, waiting(Arc::clone(&changed), Arc::clone(&ledger)), term.clone()),
            images::run(context, image_controller, [&changed, &image_changed].map(Arc::clone), term.clone()),
            snapshots::run(context, &stores, Arc::clone(&image_changed), term.clone()).boxed(),
            networks::run(context, &stores, Arc::clone(&ledger), term.clone()),
            key_pairs::run(context, key_controller, Arc::clone(&changed), term.clone()),
            silent_hosts::run(watch, term.clone()),
        )
    };
    tokio::select! {
        _ = fill => {}
        _ = work => {}
        () = term.cancelled() => {
            // Requests under way get a moment to end.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

type ServerEvents = futures::stream::BoxStream<'static, Result<Server, watcher::Error>>;

/// The Servers, and the stream of their changes. The ledger follows every event, deletions too, before anybody else.
///
/// `open` is rung for Servers that are to be shelved or copied.
fn watched_servers(client: &Client, ledger: Arc<Mutex<Ledger>>, open: Arc<Notify>) -> (Store<Server>, ServerEvents) {
    let (reader, writer) = reflector::store();
    // The list is the newest there is: one from an older cache would give addresses a second time.
    let stream = events::<Server>(Api::all(client.clone()), watcher::Config::default())
        .modify(|server| server.spec.user_data = None)
        .inspect(move |event| {
            if let Ok(Event::Apply(server) | Event::InitApply(server)) = event
                && snapshots::concerns(server)
            {
                open.notify_one();
            }
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(Event::Apply(server) | Event::InitApply(server)) => ledger.note(server),
                Ok(Event::Delete(server)) => ledger.forget(server),
                Ok(Event::Init) => ledger.begin_list(),
                Ok(Event::InitDone) => ledger.end_list(),
                Err(error) => tracing::warn!(%error, "watching Servers; trying again"),
            }
        })
        .reflect(writer)
        .applied_objects()
        .boxed();
    (reader, stream)
}

async fn place(
    placer: Arc<Placer>,
    stores: &Stores,
    servers: ServerEvents,
    woken: impl Stream<Item = ObjectRef<Server>> + Send + 'static,
    term: CancellationToken,
) {
    // Nothing is placed before all is known: an address could be given twice.
    tokio::join!(
        synced("Flavors", &stores.flavors),
        synced("Images", &stores.images),
        synced("KeyPairs", &stores.key_pairs),
        synced("Networks", &stores.networks),
        synced("ProjectQuotas", &stores.quotas),
        synced("ServerGroups", &stores.server_groups),
        synced("Hosts", &stores.hosts),
        synced("Leases", &stores.leases),
    );
    // The Servers' own store fills while the controller polls its stream; the controller waits for it to be whole.
    Controller::for_stream(servers, stores.servers.clone())
        .with_config(Config::default().concurrency(PLACE_CONCURRENCY))
        .reconcile_on(woken)
        .graceful_shutdown_on(term.cancelled_owned())
        .run(Placer::reconcile, Placer::on_error, placer)
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Tells of every change of an object that a Server may wait for.
fn told<K>(changed: &Arc<Notify>) -> impl Fn(&Event<K>) + Send + Sync + 'static {
    let changed = Arc::clone(changed);
    move |_| changed.notify_one()
}

/// Notes heartbeats as Leases change, and tells when a Host came to life.
fn beats(heartbeats: Arc<Heartbeats>, changed: Arc<Notify>) -> impl Fn(&Event<Lease>) + Send + Sync + 'static {
    move |event| match event {
        Event::Apply(lease) | Event::InitApply(lease) => {
            if heartbeats.note(lease, Instant::now()) {
                changed.notify_one();
            }
        }
        Event::Delete(_) | Event::Init | Event::InitDone => {}
    }
}

/// The Servers that wait, each time something changed that they may wait for. Pulled by the controller, so that nothing
/// piles up.
fn waiting(changed: Arc<Notify>, ledger: Arc<Mutex<Ledger>>) -> impl Stream<Item = ObjectRef<Server>> + Send {
    stream::unfold((changed, ledger), |(changed, ledger)| async move {
        changed.notified().await;
        // Changes come in bunches; one waking does for all of them.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let waiting: Vec<_> = ledger.lock().unwrap_or_else(PoisonError::into_inner).waiting().collect();
        Some((stream::iter(waiting), (changed, ledger)))
    })
    .flatten()
}
