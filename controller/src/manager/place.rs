//! Server → Host: resolve, schedule, allocate, and one write that binds.

use std::{
    collections::HashMap,
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
    names::{GUEST_FINALIZER, reason},
    quota::{CLASS_DEFAULT, Usage},
    server::{PowerState, ResolvedFlavor, ServerAddress},
};
use ostler_engine::{
    evacuation, placement,
    quota::{self, Quotas},
    resolve::{self, Named, Refusal, Resolved},
    schedule::{self, Candidate},
};
use serde_json::json;

use super::{
    Context, affinity,
    heartbeats::Heartbeats,
    ledger::Ledger,
    stores::Stores,
    write::{self, Error},
};
use crate::common::{backoff::Backoff, crash};

/// What placing works with.
pub struct Placer {
    pub context: Context,
    pub stores: Stores,
    pub ledger: Arc<Mutex<Ledger>>,
    pub heartbeats: Arc<Heartbeats>,
    pub backoff: Backoff<ObjectRef<Server>>,
    /// Bindings whose fate is unknown, by the Server's uid.
    pub doubtful: Arc<Mutex<HashMap<String, Sent>>>,
}

/// A binding as it was sent.
#[derive(Clone)]
pub struct Sent {
    /// The Server as it was read.
    server: Server,
    host: String,
    status: ServerStatus,
    at: Instant,
}

/// What became of a binding.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It is carried out.
    Bound,
    /// It is not and never will be.
    Void,
    /// It may be carried out still.
    Unknown,
}

/// When to send a binding again whose fate is unknown, for the first time.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// When to look again at a Server whose binding is on its way.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// When to look again at a Server that its host is about to remove, if nothing wakes it before.
const LOOK_RARELY: Duration = Duration::from_secs(300);
/// A request whose connection broke may still be carried out within this time: the API server gives each a minute.
const IN_FLIGHT: Duration = Duration::from_secs(75);

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

fn code(result: &Result<(), Error>) -> Option<u16> {
    match result {
        Err(Error::Api(kube::Error::Api(status))) => Some(status.code),
        Ok(()) | Err(Error::Api(_) | Error::NotLeading) => None,
    }
}

/// What became of a binding of the Server with `uid` whose second sending was answered so. `there` is what was read after
/// a conflict: `None` that nothing could be read, `Some(None)` that there is no such Server.
fn fate(again: &Result<(), Error>, uid: &str, there: Option<Option<&Server>>) -> Fate {
    match (code(again), there) {
        (None, _) if again.is_ok() => Fate::Bound,
        (Some(404), _) | (Some(409), Some(None)) => Fate::Void,
        (Some(409), Some(Some(server))) => {
            let host = server.status.as_ref().and_then(|s| s.host.as_ref());
            if server.meta().uid.as_deref() == Some(uid) && host.is_some() { Fate::Bound } else { Fate::Void }
        }
        // Too many requests, no permission: that tells nothing of the first one.
        _ => Fate::Unknown,
    }
}

/// Whether it is a shelved Server, which keeps all that it has but its Host.
fn returns(server: &Server) -> bool {
    server.status.as_ref().is_some_and(|s| s.shelf.is_some())
}

/// Under which name the ledger holds the room of a Server that is about to be bound. What a shelved one keeps is held by
/// its own.
fn held_as(server: &Server) -> String {
    if returns(server) { promise(server) } else { server.uid().unwrap_or_default() }
}

fn promise(server: &Server) -> String {
    format!("return/{}", server.uid().unwrap_or_default())
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
        let doubtful = placer.doubtful().remove(&server.uid().unwrap_or_default());
        if let Some(sent) = doubtful.filter(|_| server.status.as_ref().is_none_or(|s| s.host.is_none())) {
            return placer.settle(sent).await;
        }
        if server.meta().deletion_timestamp.is_some() {
            return placer.let_go(&server).await;
        }
        if server.status.as_ref().is_some_and(|s| s.host.is_some()) {
            // It counts by itself now.
            placer.ledger().cancel(&promise(&server));
            return placer.follow(&server).await;
        }
        if placer.ledger().holds(&held_as(&server)) {
            // A binding whose fate is not known yet. No change may follow, so somebody has to look again.
            return Ok(Action::requeue(LOOK_AGAIN));
        }
        if !server.finalizers().iter().any(|f| f == GUEST_FINALIZER) {
            placer.add_finalizer(&server).await?;
            // The watch brings the Server back with its finalizer.
            return Ok(Action::await_change());
        }
        let returns = returns(&server);
        if returns && server.spec.power_state == PowerState::Shelved {
            if let Some(status) = placement::stays_shelved(&server, Timestamp::now()) {
                write::server_status(&placer.context, &server, &status).await?;
            }
            placer.backoff.succeeded(&key);
            return Ok(Action::await_change());
        }
        match if returns { placer.decide_return(&server) } else { placer.decide(&server) } {
            Decision::Bind { host, status } => {
                placer.bind(Sent { server: (*server).clone(), host, status: *status, at: Instant::now() }).await
            }
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
        let mut resolved = match self.resolve(server) {
            Ok(resolved) => resolved,
            Err(refusal) => return Decision::Refuse(refusal),
        };
        let mut ledger = self.ledger();
        resolved.request.affinity = match affinity::of(server, &ledger, &self.stores) {
            Ok(affinity) => affinity,
            Err(refusal) => return Decision::Refuse(refusal),
        };
        if let Err(refusal) = self.admit(server, &resolved.flavor, ledger.used(&server.namespace().unwrap_or_default()))
        {
            return Decision::Refuse(refusal);
        }
        let host = match schedule::choose(&resolved.request, &self.candidates(&ledger)) {
            Ok(host) => host.to_owned(),
            Err(none) => {
                let message = format!("No valid host was found. {none}; it is tried again when a Host changes");
                return Decision::Refuse(Refusal { reason: reason::NO_HOST_FITS, message, passing: false });
            }
        };
        let Some(object) = self.stores.hosts.get(&ObjectRef::new(&host)) else {
            let message = format!("Host {host} is gone; it is tried again when a Host changes");
            return Decision::Refuse(Refusal { reason: reason::NO_HOST_FITS, message, passing: true });
        };
        match self.take(&mut ledger, server, &host, &resolved) {
            Ok(addresses) => {
                let status = Box::new(placement::bound(server, resolved, &object, addresses, now));
                Decision::Bind { host, status }
            }
            Err(refusal) => Decision::Refuse(refusal),
        }
    }

    /// Decides on a shelved Server that is to come back: anywhere, with what it had.
    fn decide_return(&self, server: &Server) -> Decision {
        let mut request = evacuation::request(server);
        let mut ledger = self.ledger();
        // It was placed once, so its group's absence keeps it nowhere.
        request.affinity = affinity::of(server, &ledger, &self.stores).unwrap_or_default();
        let refuse = |why: String| {
            let message = format!("{why}; it is tried again when a Host changes");
            Decision::Refuse(Refusal { reason: reason::NO_HOST_FITS, message, passing: false })
        };
        match schedule::choose(&request, &self.candidates(&ledger)) {
            Ok(host) => {
                let host = host.to_owned();
                let Some(object) = self.stores.hosts.get(&ObjectRef::new(&host)) else {
                    return refuse(format!("Host {host} is gone"));
                };
                ledger.promise(&promise(server), &host, request.resources);
                let status = Box::new(placement::returned(server, &object, Timestamp::now()));
                Decision::Bind { host, status }
            }
            Err(none) => refuse(format!("No valid host was found. {none}")),
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
            .take(&server.uid().unwrap_or_default(), host, &server.namespace().unwrap_or_default(), resolved)
            .map_err(|e| refusal(reason::NO_ADDRESS, format!("spec.networks: {e}; see kubectl get networks")))
    }

    /// Whether the project may have a Server of this flavor, when `used` is what it has beside it.
    pub(super) fn admit(&self, server: &Server, flavor: &ResolvedFlavor, used: Usage) -> Result<(), Refusal> {
        let namespace = server.namespace().unwrap_or_default();
        let named = |name: &str| self.stores.quotas.get(&ObjectRef::new(name));
        let (project, class) = (named(&namespace), named(CLASS_DEFAULT));
        let quotas = Quotas { project: project.as_deref(), class: class.as_deref() };
        quota::admit(server, flavor, used, &quotas)
    }

    fn resolve(&self, server: &Server) -> Result<Resolved, Refusal> {
        self.with_named(server, |named| resolve::resolve(server, named))
    }

    /// Lends the objects that the Server names.
    pub(super) fn with_named<T>(&self, server: &Server, work: impl FnOnce(&Named<'_>) -> T) -> T {
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
        work(&Named {
            flavor: flavor.as_deref(),
            image: image.as_deref(),
            key_pair: key_pair.as_deref(),
            networks: networks.iter().map(AsRef::as_ref).collect(),
        })
    }

    pub(super) fn candidates(&self, ledger: &Ledger) -> Vec<Candidate> {
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

    async fn bind(&self, binding: Sent) -> Result<Action, Error> {
        if !self.context.leadership.holds() {
            self.ledger().cancel(&held_as(&binding.server));
            return Err(Error::NotLeading);
        }
        match write::server_status(&self.context, &binding.server, &binding.status).await {
            Ok(()) => Ok(self.bound(&binding).await),
            Err(error) if error.is_refusal() => {
                self.ledger().cancel(&held_as(&binding.server));
                Err(error)
            }
            Err(error) => {
                tracing::warn!(server = %binding.server.name_any(), %error, "the fate of a binding is unknown");
                self.doubt(binding);
                Ok(Action::requeue(ASK_AGAIN))
            }
        }
    }

    /// Sends a binding of unknown fate once more, as it was. Both carry the version of the Server that was read, so at
    /// most one of them is carried out, and the answer tells of both.
    async fn settle(&self, binding: Sent) -> Result<Action, Error> {
        let uid = binding.server.uid().unwrap_or_default();
        if !self.context.leadership.holds() {
            self.doubt(binding);
            return Err(Error::NotLeading);
        }
        let again = write::server_status(&self.context, &binding.server, &binding.status).await;
        let there = match code(&again) {
            Some(409) => self.api(&binding.server).get_opt(&binding.server.name_any()).await.ok(),
            _ => None,
        };
        match fate(&again, &uid, there.as_ref().map(Option::as_ref)) {
            Fate::Bound => Ok(self.bound(&binding).await),
            Fate::Void => {
                self.ledger().cancel(&held_as(&binding.server));
                Ok(Action::requeue(Duration::ZERO))
            }
            Fate::Unknown => {
                self.doubt(binding);
                Ok(Action::requeue(LOOK_AGAIN))
            }
        }
    }

    /// Until the fate of this binding is known, nobody else gets what it holds.
    fn doubt(&self, mut binding: Sent) {
        let uid = binding.server.uid().unwrap_or_default();
        let at = Instant::now();
        binding.at = at;
        let held_as = held_as(&binding.server);
        self.doubtful().insert(uid.clone(), binding);
        // A Server that vanished unseen gets no pass in which it could be asked about.
        let (ledger, doubtful) = (Arc::clone(&self.ledger), Arc::clone(&self.doubtful));
        tokio::spawn(async move {
            tokio::time::sleep(IN_FLIGHT).await;
            let mut doubtful = doubtful.lock().unwrap_or_else(PoisonError::into_inner);
            if doubtful.get(&uid).is_some_and(|binding| binding.at == at) {
                doubtful.remove(&uid);
                ledger.lock().unwrap_or_else(PoisonError::into_inner).cancel(&held_as);
            }
        });
    }

    fn doubtful(&self) -> MutexGuard<'_, HashMap<String, Sent>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn bound(&self, Sent { server, host, status, .. }: &Sent) -> Action {
        self.backoff.succeeded(&ObjectRef::from_obj(server));
        let addresses: Vec<_> = status.addresses.iter().map(|a| format!("{} ({})", a.address, a.label)).collect();
        let with = if addresses.is_empty() { String::new() } else { format!(" with {}", addresses.join(", ")) };
        let note = format!("placed on Host {host}{with}");
        self.context.events.normal(&server.object_ref(&()), reason::BOUND, "Bind", note).await;
        Action::await_change()
    }

    async fn refuse(&self, server: &Server, refusal: &Refusal) -> Result<(), Error> {
        let status = if returns(server) {
            placement::not_returned(server, refusal, Timestamp::now())
        } else {
            let status = placement::refused(server, refusal, Timestamp::now());
            (!placement::says_already(server, &status)).then_some(status)
        };
        let Some(status) = status else { return Ok(()) };
        write::server_status(&self.context, server, &status).await?;
        let about = server.object_ref(&());
        self.context.events.warning(&about, refusal.reason, "Schedule", refusal.message.clone()).await;
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
            None if self.ledger().holds(&held_as(server)) => return Ok(Action::requeue(LOOK_AGAIN)),
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
        crash::point("finalizers of a Server");
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

    fn answered(code: u16) -> Result<(), Error> {
        let status = kube::core::Status { code, ..Default::default() };
        Err(kube::Error::Api(Box::new(status)).into())
    }

    #[test]
    fn the_second_sending_tells_the_fate_of_the_first() {
        let mut server = Server::new("s", ostler_crds::ServerSpec::default());
        server.metadata.uid = Some("u".into());
        assert_eq!(fate(&Ok(()), "u", None), Fate::Bound);
        for code in [403, 429, 500, 504] {
            assert_eq!(fate(&answered(code), "u", None), Fate::Unknown, "{code}");
        }
        assert_eq!(fate(&answered(404), "u", None), Fate::Void);
        assert_eq!(fate(&answered(409), "u", None), Fate::Unknown, "it could not be read");
        assert_eq!(fate(&answered(409), "u", Some(None)), Fate::Void);
        assert_eq!(fate(&answered(409), "u", Some(Some(&server))), Fate::Void, "somebody else changed it");
        server.status = Some(ServerStatus { host: Some("h".into()), ..Default::default() });
        assert_eq!(fate(&answered(409), "u", Some(Some(&server))), Fate::Bound);
        assert_eq!(fate(&answered(409), "another", Some(Some(&server))), Fate::Void, "a new one of that name");
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
