//! Hosts that are not heard of: their Servers are said to be UNKNOWN, and those that ask for it leave a Host that is
//! proven dead. One Server after the other, so that a dead Host floods nobody.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{
    Host, Server, ServerStatus,
    names::{MANAGER_FIELD_MANAGER, SILENCE_FIELD_MANAGER, reason},
};
use ostler_engine::{
    evacuation,
    schedule::{self, Candidate},
    silence,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::common::crash;

use super::{
    Context, affinity,
    heartbeats::{Heartbeats, STALE_AFTER},
    ledger::Ledger,
    stores::{Stores, synced},
};

/// How often Hosts are looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// What this works with.
pub struct Watch {
    pub context: Context,
    pub stores: Stores,
    pub ledger: Arc<Mutex<Ledger>>,
    pub heartbeats: Arc<Heartbeats>,
}

/// Looks until `term` ends.
pub async fn run(watch: Watch, term: CancellationToken) {
    synced("Servers", &watch.stores.servers).await;
    synced("Hosts", &watch.stores.hosts).await;
    synced("Leases", &watch.stores.leases).await;
    // Who was not heard yet may only not have been listened to yet.
    if term.run_until_cancelled(tokio::time::sleep(STALE_AFTER)).await.is_none() {
        return;
    }
    // Servers that were told of in the present silence: a node role that answers for one of them has the last word.
    let mut told: HashMap<String, HashSet<String>> = HashMap::new();
    // Why Servers find no Host, as was said last.
    let mut refused: HashMap<String, String> = HashMap::new();
    while term.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_some() {
        let heard = |host: &str| watch.heartbeats.alive(host, Instant::now());
        told.retain(|host, _| !heard(host));
        if told.is_empty() {
            refused.clear();
        }
        for server in watch.stores.servers.state() {
            let Some(host) = server.status.as_ref().and_then(|s| s.host.clone()) else { continue };
            if heard(&host) || !watch.context.leadership.holds() {
                continue;
            }
            let uid = server.uid().unwrap_or_default();
            if watch.evacuate(&server, &mut refused).await {
                continue;
            }
            if !told.get(&host).is_some_and(|uids| uids.contains(&uid)) && watch.tell(&server, &host).await {
                told.entry(host).or_default().insert(uid);
            }
        }
    }
}

impl Watch {
    /// Says that nothing is known of the Server. Whether that is known now.
    async fn tell(&self, server: &Server, host: &str) -> bool {
        let Some(status) = silence::unknown(server, host, Timestamp::now()) else { return true };
        match self.write(server, &status, SILENCE_FIELD_MANAGER).await {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => false,
            Err(error) => {
                tracing::warn!(server = %server.name_any(), %error, "cannot say that its Host is silent");
                false
            }
        }
    }

    /// Binds a Server to another Host if it asks for that and its own is proven dead. Whether it did.
    async fn evacuate(&self, server: &Server, refused: &mut HashMap<String, String>) -> bool {
        let Some(from) = evacuation::asked(server) else { return false };
        let hosts = self.stores.hosts.state();
        let heard = self.heartbeats.alive(from, Instant::now());
        let dead = hosts.iter().find(|h| h.name_any() == from).is_some_and(|h| evacuation::is_dead(server, h, heard));
        if !dead {
            return false;
        }
        let about = server.object_ref(&());
        let to = match self.reserve(server, from, &hosts) {
            Ok(to) => to,
            Err(none) => {
                let note = format!("No valid host was found for the evacuation. {none}");
                let uid = server.uid().unwrap_or_default();
                if refused.get(&uid) != Some(&note) {
                    self.context.events.warning(&about, reason::NO_HOST_FITS, "Evacuate", note.clone()).await;
                    refused.insert(uid, note);
                }
                return false;
            }
        };
        let moved = evacuation::moved(server, &to, Timestamp::now());
        let written = self.write(server, &moved, MANAGER_FIELD_MANAGER).await;
        self.settle(server, written.as_ref().ok());
        match written {
            Ok(_) => {
                let to = to.name_any();
                let note = format!("evacuated from the dead Host {from} to Host {to}; its disk is made anew");
                self.context.events.normal(&about, reason::EVACUATED, "Evacuate", note).await;
                true
            }
            Err(error) => {
                tracing::warn!(server = %server.name_any(), %error, "an evacuation was not written; trying again");
                false
            }
        }
    }

    /// Gives the promised room back, now that the binding counts, or never will.
    fn settle(&self, server: &Server, bound: Option<&Server>) {
        let mut ledger = self.ledger();
        if let Some(bound) = bound {
            ledger.note(bound);
        }
        ledger.cancel(&promise(server));
    }

    /// Chooses a Host and holds its room until the binding is written.
    fn reserve(&self, server: &Server, from: &str, hosts: &[Arc<Host>]) -> Result<Arc<Host>, schedule::NoHostFits> {
        let now = Instant::now();
        let mut ledger = self.ledger();
        let candidates: Vec<_> = hosts
            .iter()
            .filter(|host| host.name_any() != from)
            .map(|host| {
                let name = host.name_any();
                Candidate::new(host, ledger.held(&name), self.heartbeats.alive(&name, now))
            })
            .collect();
        let mut request = evacuation::request(server);
        // It was placed once, so its group's absence keeps it nowhere.
        request.affinity = affinity::of(server, &ledger, &self.stores).unwrap_or_default();
        let name = schedule::choose(&request, &candidates)?;
        let to =
            hosts.iter().find(|host| host.name_any() == name).cloned().ok_or_else(schedule::NoHostFits::default)?;
        ledger.promise(&promise(server), name, request.resources);
        Ok(to)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies on condition that the Server is still the one that was read.
    async fn write(&self, server: &Server, status: &ServerStatus, manager: &str) -> Result<Server, kube::Error> {
        let patch = json!({
            "apiVersion": Server::api_version(&()),
            "kind": Server::kind(&()),
            "metadata": {
                "name": server.name_any(), "uid": server.uid(), "resourceVersion": server.resource_version(),
            },
            "status": status,
        });
        let api: Api<Server> = Api::namespaced(self.context.client.clone(), &server.namespace().unwrap_or_default());
        let params = PatchParams::apply(manager).force();
        let written = api.patch_status(&server.name_any(), &params, &Patch::Apply(&patch)).await?;
        crash::point("status of a silent Server");
        Ok(written)
    }
}

/// Under which name the ledger holds the room of a Server that is about to move.
fn promise(server: &Server) -> String {
    format!("move/{}", server.uid().unwrap_or_default())
}
