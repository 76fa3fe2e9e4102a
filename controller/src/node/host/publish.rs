//! Keeps the Host object: looks every half minute and whenever libvirt comes or goes, writes only what changed.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Node as KubeNode;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use ostler_crds::{GROUP, Host, HostSpec, HostStatus, VERSION, names::NODE_FIELD_MANAGER};
use ostler_hypervisor::{GuestEvent, Hypervisor};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    super::{Node, strays},
    boot::boot_time,
    describe::{Seen, describe, used},
};

/// How often libvirt and the Host are looked at.
const PERIOD: Duration = Duration::from_secs(30);
/// How soon again after the API server could not be reached.
const RETRY: Duration = Duration::from_secs(5);
/// How often a change of `used` and `imageCache` alone is written.
const USED_PERIOD: Duration = Duration::from_secs(60);

/// Keeps the Host until `shutdown`. `published` is told of each success.
pub async fn run<H: Hypervisor>(node: Arc<Node<H>>, published: impl Fn() + Send, shutdown: CancellationToken) {
    let mut done = Done::default();
    loop {
        let wait = match publish(&node, &mut done).await {
            Ok(()) => {
                published();
                PERIOD
            }
            Err(error) => {
                tracing::warn!(%error, "cannot write this machine's Host");
                RETRY
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = node.host.changed.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// What was written so far.
#[derive(Default)]
struct Done {
    labels: Option<BTreeMap<String, String>>,
    used: Option<Instant>,
}

async fn publish<H: Hypervisor>(node: &Node<H>, done: &mut Done) -> Result<(), kube::Error> {
    let facts = node.hypervisor.host().await;
    node.metrics.hypervisor(facts.is_ok());
    if let Ok(facts) = &facts {
        node.host.learn(facts.clone());
    }
    let servers = node.servers.all();
    let exists = |uid: &str| servers.iter().any(|s| s.metadata.uid.as_deref() == Some(uid));
    node.memories.retain(exists);
    node.snapshots.retain(exists);
    let host = ensure(node, done).await?;
    node.host.known().generation = host.metadata.generation.unwrap_or_default();
    if node.host.is_fenced() && !host.spec.fenced {
        // What was evacuated meanwhile goes before anything is started here again.
        strays::remove(node).await;
    }
    if node.host.fence(host.spec.fenced) {
        if host.spec.fenced {
            strays::power_off(node).await;
        }
        tracing::info!(fenced = host.spec.fenced, "this machine's fence");
        // Every guest is looked at anew.
        node.signals.tell(GuestEvent::Resync);
    }
    node.host.known().zone = Some(host.availability_zone().to_owned());

    let previous = host.status.clone().unwrap_or_default();
    let why = facts.as_ref().err().map(|e| e.message.clone()).unwrap_or_default();
    let seen = Seen {
        facts: facts.as_ref().map_err(|_| why.as_str()),
        booted_at: boot_time(),
        used: used(&servers),
        image_cache: node.cache.get(),
        endpoint: &node.host.endpoint,
        fenced: host.spec.fenced,
        generation: host.metadata.generation.unwrap_or_default(),
    };
    let next = describe(&previous, &seen, Timestamp::now());
    let figures = HostStatus { used: previous.used, image_cache: previous.image_cache, ..next.clone() };
    let only_used = figures == previous;
    if next == previous || (only_used && done.used.is_some_and(|at| at.elapsed() < USED_PERIOD)) {
        return Ok(());
    }
    done.used = Some(Instant::now());
    apply(node, json!({ "status": next }), true).await.map(drop)
}

/// The Host, made if it is missing, with the labels of its Node.
async fn ensure<H: Hypervisor>(node: &Node<H>, done: &mut Done) -> Result<Host, kube::Error> {
    let hosts = Api::<Host>::all(node.client.clone());
    let host = match hosts.get_opt(&node.name).await? {
        Some(host) => host,
        None => {
            done.labels = None;
            let made = Host::new(&node.name, default_spec()?);
            match hosts.create(&PostParams::default(), &made).await {
                // An admin made it meanwhile.
                Err(kube::Error::Api(status)) if status.code == 409 => hosts.get(&node.name).await?,
                other => other?,
            }
        }
    };
    let labels = node_labels(node).await?;
    if done.labels.as_ref() == Some(&labels) {
        return Ok(host);
    }
    // Applied anew after each start, so that labels that the Node lost meanwhile go as well.
    let host = apply(node, json!({ "metadata": { "labels": labels } }), false).await?;
    done.labels = Some(labels);
    Ok(host)
}

/// The spec with the defaults of its schema; `Default` of the type would be all zeros.
fn default_spec() -> Result<HostSpec, kube::Error> {
    serde_json::from_value(json!({})).map_err(kube::Error::SerdeError)
}

/// Labels of the Kubernetes Node of this name; none where there is none (a control plane without kubelets).
async fn node_labels<H: Hypervisor>(node: &Node<H>) -> Result<BTreeMap<String, String>, kube::Error> {
    let found = Api::<KubeNode>::all(node.client.clone()).get_metadata_opt(&node.name).await?;
    Ok(found.map(|n| n.labels().clone()).unwrap_or_default())
}

async fn apply<H: Hypervisor>(node: &Node<H>, mut what: Value, status: bool) -> Result<Host, kube::Error> {
    what["apiVersion"] = json!(format!("{GROUP}/{VERSION}"));
    what["kind"] = json!("Host");
    what["metadata"]["name"] = json!(node.name);
    let hosts = Api::<Host>::all(node.client.clone());
    let params = PatchParams::apply(NODE_FIELD_MANAGER).force();
    let patch = Patch::Apply(&what);
    if status {
        hosts.patch_status(&node.name, &params, &patch).await
    } else {
        hosts.patch(&node.name, &params, &patch).await
    }
}
