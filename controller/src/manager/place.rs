//! Server → Host: resolve, schedule, allocate, and one write that binds.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
    runtime::{controller::Action, reflector::ObjectRef},
};
use ostler_crds::{
    Host, OpenStackId, Server, ServerStatus,
    names::{GUEST_FINALIZER, MANAGER_FIELD_MANAGER, reason},
    server::ServerAddress,
};
use ostler_engine::{
    placement,
    resolve::{self, Named, Refusal, Resolved},
    schedule::{self, Candidate},
};
use serde_json::json;
use thiserror::Error;

use super::{Context, heartbeats::Heartbeats, ledger::Ledger, stores::Stores};
use crate::common::backoff::Backoff;

/// What placing works with.
pub struct Placer {
    pub context: Context,
    pub stores: Stores,
    pub ledger: Arc<Mutex<Ledger>>,
    pub heartbeats: Arc<Heartbeats>,
    pub backoff: Backoff<ObjectRef<Server>>,
}

/// When to look again at a Server whose binding is on its way.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// When to look again at a Server that its host is about to remove, if nothing wakes it before.
const LOOK_RARELY: Duration = Duration::from_secs(300);
/// A request whose connection broke may still be carried out within this time: the API server gives each a minute.
const IN_FLIGHT: Duration = Duration::from_secs(75);

/// A pass failed on the way to the API server.
#[derive(Debug, Error)]
pub enum Error {
    /// The API server refused, or was not reached.
    #[error("{0}")]
    Api(#[from] kube::Error),
    /// Another manager may lead by now.
    #[error("this replica leads no longer")]
    NotLeading,
}

impl Error {
    /// Whether the API server has refused for good. After anything else, a request may still be carried out.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Api(kube::Error::Api(status)) => (400..500).contains(&status.code),
            Self::Api(kube::Error::Service(error)) => never_sent(&**error),
            Self::Api(_) => false,
            Self::NotLeading => true,
        }
    }
}

/// Whether there was not even a connection.
fn never_sent(error: &(dyn std::error::Error + 'static)) -> bool {
    let client = error.downcast_ref::<hyper_util::client::legacy::Error>();
    client.is_some_and(|e| e.is_connect()) || error.source().is_some_and(never_sent)
}

/// What is to be done about one Server.
enum Decision {
    Bind { host: String, status: Box<ServerStatus> },
    Refuse(Refusal),
}

impl Placer {
    /// One pass over one Server.
    pub async fn reconcile(server: Arc<Server>, placer: Arc<Self>) -> Result<Action, Error> {
        let key = ObjectRef::from_obj(&*server);
        if server.meta().deletion_timestamp.is_some() {
            return placer.let_go(&server).await;
        }
        if server.status.as_ref().is_some_and(|s| s.host.is_some()) {
            placer.backoff.succeeded(&key);
            return Ok(Action::await_change());
        }
        if placer.ledger().holds(&server.uid().unwrap_or_default()) {
            // A binding whose fate is not known yet. No change may follow, so somebody has to look again.
            return Ok(Action::requeue(LOOK_AGAIN));
        }
        if !server.finalizers().iter().any(|f| f == GUEST_FINALIZER) {
            placer.add_finalizer(&server).await?;
            // The watch brings the Server back with its finalizer.
            return Ok(Action::await_change());
        }
        match placer.decide(&server) {
            Decision::Bind { host, status } => placer.bind(&server, &host, *status).await.map(|()| {
                placer.backoff.succeeded(&key);
                Action::await_change()
            }),
            Decision::Refuse(refusal) => {
                placer.refuse(&server, &refusal).await?;
                Ok(Action::requeue(placer.backoff.failed(&key)))
            }
        }
    }

    /// After a failed request.
    pub fn on_error(server: Arc<Server>, error: &Error, placer: Arc<Self>) -> Action {
        let wait = placer.backoff.failed(&ObjectRef::from_obj(&*server));
        tracing::warn!(server = %server.name_any(), %error, "trying again in {wait:?}");
        Action::requeue(wait)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides on what is in memory, and holds what it gives out. No await: two passes never decide at once.
    fn decide(&self, server: &Server) -> Decision {
        let now = Timestamp::now();
        let resolved = match self.resolve(server) {
            Ok(resolved) => resolved,
            Err(refusal) => return Decision::Refuse(refusal),
        };
        let mut ledger = self.ledger();
        let host = match schedule::choose(&resolved.request, &self.candidates(&ledger)) {
            Ok(host) => host.to_owned(),
            Err(none) => {
                let message = format!("No valid host was found. {none}; it is tried again when a Host changes");
                return Decision::Refuse(Refusal { reason: reason::NO_HOST_FITS, message, passing: false });
            }
        };
        match self.take(&mut ledger, server, &host, &resolved) {
            Ok(addresses) => {
                let status = Box::new(placement::bound(server, resolved, &host, addresses, now));
                Decision::Bind { host, status }
            }
            Err(refusal) => Decision::Refuse(refusal),
        }
    }

    fn take(
        &self,
        ledger: &mut Ledger,
        server: &Server,
        host: &str,
        resolved: &Resolved,
    ) -> Result<Vec<ServerAddress>, Refusal> {
        let refusal = |reason, message| Refusal { reason, message, passing: false };
        // A bad id label is told before anything is held.
        OpenStackId::of(server.meta()).map_err(|e| refusal(reason::INVALID_SPEC, e.to_string()))?;
        ledger
            .take(&server.uid().unwrap_or_default(), host, resolved.request.resources, &resolved.interfaces)
            .map_err(|e| refusal(reason::NO_ADDRESS, format!("spec.networks: {e}; see kubectl get networks")))
    }

    fn resolve(&self, server: &Server) -> Result<Resolved, Refusal> {
        let namespace = server.namespace().unwrap_or_default();
        let flavor = self.stores.flavors.get(&ObjectRef::new(&server.spec.flavor));
        let image =
            server.image_ref().and_then(|r| self.stores.images.get(&ObjectRef::new(&r.name).within(&r.namespace)));
        let key_pair = server
            .spec
            .key_pair
            .as_ref()
            .and_then(|k| self.stores.key_pairs.get(&ObjectRef::new(k).within(&namespace)));
        let networks = self.stores.networks.state();
        let named = Named {
            flavor: flavor.as_deref(),
            image: image.as_deref(),
            key_pair: key_pair.as_deref(),
            networks: networks.iter().map(AsRef::as_ref).collect(),
        };
        resolve::resolve(server, &named)
    }

    fn candidates(&self, ledger: &Ledger) -> Vec<Candidate> {
        let now = Instant::now();
        let hosts = self.stores.hosts.state();
        hosts
            .iter()
            .map(|host| {
                let name = host.name_any();
                Candidate::new(host, ledger.held(&name), self.heartbeats.alive(&name, now))
            })
            .collect()
    }

    fn api(&self, server: &Server) -> Api<Server> {
        Api::namespaced(self.context.client.clone(), &server.namespace().unwrap_or_default())
    }

    async fn bind(&self, server: &Server, host: &str, status: ServerStatus) -> Result<(), Error> {
        let uid = server.uid().unwrap_or_default();
        let addresses: Vec<_> = status.addresses.iter().map(|a| format!("{} ({})", a.address, a.label)).collect();
        if !self.context.leadership.holds() {
            self.ledger().cancel(&uid);
            return Err(Error::NotLeading);
        }
        if let Err(error) = self.write_status(server, &status).await {
            if error.is_refusal() {
                self.ledger().cancel(&uid);
            } else {
                // It may still be carried out. If it is, the watch tells; until then nobody else gets what it holds.
                let ledger = Arc::clone(&self.ledger);
                tokio::spawn(async move {
                    tokio::time::sleep(IN_FLIGHT).await;
                    ledger.lock().unwrap_or_else(PoisonError::into_inner).cancel(&uid);
                });
            }
            return Err(error);
        }
        let with = if addresses.is_empty() { String::new() } else { format!(" with {}", addresses.join(", ")) };
        let note = format!("placed on Host {host}{with}");
        self.context.events.normal(&server.object_ref(&()), reason::BOUND, "Bind", note).await;
        Ok(())
    }

    async fn refuse(&self, server: &Server, refusal: &Refusal) -> Result<(), Error> {
        let status = placement::refused(server, refusal, Timestamp::now());
        if placement::says_already(server, &status) {
            return Ok(());
        }
        self.write_status(server, &status).await?;
        let about = server.object_ref(&());
        self.context.events.warning(&about, refusal.reason, "Schedule", refusal.message.clone()).await;
        Ok(())
    }

    /// Applies the manager's part of the status, on condition that the Server is still the one that was read.
    async fn write_status(&self, server: &Server, status: &ServerStatus) -> Result<(), Error> {
        let patch = json!({
            "apiVersion": Server::api_version(&()),
            "kind": Server::kind(&()),
            "metadata": {
                "name": server.name_any(), "uid": server.uid(), "resourceVersion": server.resource_version(),
            },
            "status": status,
        });
        let params = PatchParams::apply(MANAGER_FIELD_MANAGER).force();
        self.api(server).patch_status(&server.name_any(), &params, &Patch::Apply(&patch)).await?;
        Ok(())
    }

    async fn add_finalizer(&self, server: &Server) -> Result<(), Error> {
        let mut finalizers = server.finalizers().to_vec();
        finalizers.push(GUEST_FINALIZER.to_owned());
        self.set_finalizers(server, &finalizers).await
    }

    /// A deleted Server that no host holds anything of: nothing is left to remove.
    async fn let_go(&self, server: &Server) -> Result<Action, Error> {
        self.backoff.succeeded(&ObjectRef::from_obj(server));
        if !server.finalizers().iter().any(|f| f == GUEST_FINALIZER) {
            return Ok(Action::await_change());
        }
        let host = server.status.as_ref().and_then(|s| s.host.as_deref());
        match host {
            None if self.ledger().holds(&server.uid().unwrap_or_default()) => return Ok(Action::requeue(LOOK_AGAIN)),
            None => {}
            // Its node role removes the guest; should the Host be deleted, the watch of the Hosts wakes this Server.
            Some(host) if self.host_exists(host).await? => return Ok(Action::requeue(LOOK_RARELY)),
            // An admin who deletes a Host says that the machine and all that was on it is gone.
            Some(_) => {}
        }
        let left: Vec<_> = server.finalizers().iter().filter(|f| *f != GUEST_FINALIZER).cloned().collect();
        match self.set_finalizers(server, &left).await {
            Err(Error::Api(kube::Error::Api(status))) if status.code == 404 => {}
            other => other?,
        }
        Ok(Action::await_change())
    }

    /// The store may be younger than the API server's truth, and a guest that is given up is never looked for again.
    async fn host_exists(&self, host: &str) -> Result<bool, Error> {
        if self.stores.hosts.get(&ObjectRef::new(host)).is_some() {
            return Ok(true);
        }
        Ok(Api::<Host>::all(self.context.client.clone()).get_opt(host).await?.is_some())
    }

    async fn set_finalizers(&self, server: &Server, finalizers: &[String]) -> Result<(), Error> {
        let patch = json!({ "metadata": {
            "finalizers": finalizers, "uid": server.uid(), "resourceVersion": server.resource_version(),
        } });
        self.api(server).patch(&server.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(port: u16) -> Error {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = format!("http://127.0.0.1:{port}").parse().unwrap();
        let client = crate::common::client::of(kube::Config::new(url)).unwrap();
        Api::<Host>::all(client).get("h").await.unwrap_err().into()
    }

    #[tokio::test]
    async fn what_was_never_sent_is_told_from_what_may_still_be_carried_out() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // It takes the request and says nothing.
        let server = tokio::spawn(async move {
            let mut stream = listener.accept().await.unwrap().0;
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 1024]).await;
        });
        let broken = ask(port).await;
        assert!(!broken.is_refusal(), "{broken}");
        server.await.unwrap();
        let refused = ask(port).await;
        assert!(refused.is_refusal(), "{refused}");
    }
}
