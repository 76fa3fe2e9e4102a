//! Tells the API server: status, Events, the finalizer of a guest that is gone. Writes nothing that is known already.

use std::time::Duration;

use jiff::Timestamp;
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{
    GROUP, Server, ServerStatus, VERSION, find_condition,
    names::{GUEST_FINALIZER, NODE_FIELD_MANAGER, condition},
};
use ostler_engine::guest::{Identity, Note, Verdict, Wish, node_part, note, status};
use ostler_hypervisor::Hypervisor;
use serde_json::{Value, json};

use super::{Node, pass::Found, remember::Remembered};
use crate::common::crash;

/// When to try again after a write that was based on an older version.
const CONFLICT: Duration = Duration::from_millis(200);

/// Reports what a pass found. Says when to try again if the API server could not be told.
pub async fn report<H: Hypervisor>(
    node: &Node<H>,
    id: &Identity,
    server: &Server,
    found: &Found,
    remembered: &mut Remembered,
) -> Option<Duration> {
    node.metrics.pass(&found.verdict);
    let now = Timestamp::now();
    let previous = server.status.clone().unwrap_or_default();
    let finished = remembered.memory.finished.as_ref();
    let mut next = status(&previous, id.generation, &found.verdict, found.domain.as_ref(), finished, now);
    node.snapshots.see(id, server).lay_over(&mut next);
    if next != node_part(&previous) {
        match apply_status(node, id, &next).await {
            Ok(written) => {
                let ready = find_condition(&next.conditions, condition::READY).map(|c| c.reason.as_str());
                let state = next.state.as_ref().map(|s| s.status.as_str());
                tracing::info!(server = id.owner.name, namespace = id.owner.namespace, state, ready, "reported");
                remembered.wrote(&written);
            }
            // The Server is gone; the watch tells.
            Err(kube::Error::Api(status)) if status.code == 404 => return None,
            // Another Server of that name, or one that is changed very often: the next pass sees which.
            Err(kube::Error::Api(status)) if status.code == 409 => return Some(CONFLICT),
            Err(error) => {
                tracing::warn!(%error, server = id.owner.name, namespace = id.owner.namespace, "cannot write a status");
                return Some(node.retries.soon(&id.owner.uid));
            }
        }
    }
    if let Some(note) = note_of(server, found, &previous, &next, now) {
        tell(node, server, note).await;
    }
    None
}

/// Says in the Server that its guest is about to be started here. Whether the API server took it.
pub async fn claim<H: Hypervisor>(
    node: &Node<H>,
    id: &Identity,
    server: &Server,
    remembered: &mut Remembered,
) -> Result<(), kube::Error> {
    let mut next = node_part(&server.status.clone().unwrap_or_default());
    next.host_generation = Some(node.host.generation());
    let written = apply_status(node, id, &next).await?;
    remembered.wrote(&written);
    Ok(())
}

/// Takes our finalizer off the Server of a guest that is gone.
pub async fn gone<H: Hypervisor>(node: &Node<H>, id: &Identity, server: &Server, foreign: bool) -> Option<Duration> {
    let rest: Vec<&String> = server.finalizers().iter().filter(|f| *f != GUEST_FINALIZER).collect();
    // The version makes sure that no finalizer that came meanwhile is lost, the uid that it is this very Server.
    let patch = json!({ "metadata": {
        "uid": id.owner.uid,
        "resourceVersion": server.metadata.resource_version,
        "finalizers": rest,
    }});
    match servers(node, id).patch(&id.owner.name, &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(_) => {
            crash::point("finalizer");
            node.metrics.removed();
            tell(node, server, ostler_engine::guest::note::removed(foreign)).await;
        }
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(kube::Error::Api(status)) if status.code == 409 => return Some(CONFLICT),
        Err(error) => {
            tracing::warn!(%error, server = id.owner.name, namespace = id.owner.namespace, "cannot take the finalizer off");
            return Some(node.retries.soon(&id.owner.uid));
        }
    }
    node.memories.put(&id.owner.uid, Remembered::gone());
    node.retries.succeeded(&id.owner.uid);
    None
}

fn note_of(
    server: &Server,
    found: &Found,
    previous: &ServerStatus,
    next: &ServerStatus,
    now: Timestamp,
) -> Option<Note> {
    let created = server.metadata.creation_timestamp.as_ref();
    match found.validated.as_ref().map(|v| &v.wish) {
        Some(Wish::Present(guest)) => note(guest, created, &found.steps, &found.verdict, previous, next, now),
        Some(Wish::Absent { .. } | Wish::Shelved { .. }) | None => match found.verdict {
            Verdict::Failed(_) => ostler_engine::guest::note::warning_if_new(previous, next),
            Verdict::Settled(_) | Verdict::Waiting | Verdict::Rebooting(_) | Verdict::Resting => None,
        },
    }
}

async fn tell<H: Hypervisor>(node: &Node<H>, server: &Server, note: Note) {
    let about = server.object_ref(&());
    if note.warning {
        node.events.warning(&about, &note.reason, note.action, note.text).await;
    } else {
        node.events.normal(&about, &note.reason, note.action, note.text).await;
    }
}

async fn apply_status<H: Hypervisor>(
    node: &Node<H>,
    id: &Identity,
    status: &ServerStatus,
) -> Result<Server, kube::Error> {
    // The uid makes the API server refuse if a new Server has taken the name meanwhile.
    let patch: Value = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "Server",
        "metadata": { "name": id.owner.name, "uid": id.owner.uid },
        "status": status,
    });
    let params = PatchParams::apply(NODE_FIELD_MANAGER).force();
    let written = servers(node, id).patch_status(&id.owner.name, &params, &Patch::Apply(&patch)).await?;
    crash::point("status");
    Ok(written)
}

fn servers<H: Hypervisor>(node: &Node<H>, id: &Identity) -> Api<Server> {
    Api::namespaced(node.client.clone(), &id.owner.namespace)
}
