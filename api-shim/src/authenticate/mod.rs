//! Who is calling: from a password or a token to a [`Caller`].
//!
//! ```text
//!  password ─► throttle ─► argon2id ┐
//!  Kubernetes bearer ─► TokenReview ┼─► User ─► Ticket ─► sealed text (the client's token)
//!  our token ───────────────────────┘             ▲
//!  X-Auth-Token ─► open, expired? revoked? user still there? ─► Caller
//! ```
//!
//! Keys and revocations live in Secrets of the release namespace, so that all replicas agree and a restart logs nobody
//! out.

pub mod application_credentials;
pub mod caller;
pub mod keys;
pub mod password;
pub mod review;
pub mod revoke;
pub mod throttle;
pub mod ticket;
pub mod users;

use std::{net::IpAddr, sync::Arc, time::Instant};

use http::HeaderMap;
use jiff::Timestamp;
use kube::Client;

pub use application_credentials::{ApplicationCredential, store::ApplicationCredentials};
pub use caller::{Caller, User};
use password::Verifier;
use throttle::Throttle;
use ticket::{Origin, Reach, Ticket};
use users::{UserSecret, UserSecrets, write::Users};

use crate::{
    fault::Fault,
    observe::Metrics,
    store::{Stores, projects},
};

/// The header of the caller's token.
pub const TOKEN_HEADER: &str = "x-auth-token";
/// Longest token that is looked at, in bytes.
const TOKEN_LIMIT: usize = 16 * 1024;

/// Answers who is calling.
pub struct Authenticator {
    client: Client,
    namespace: String,
    stores: Arc<Stores>,
    verifier: Verifier,
    throttle: std::sync::Mutex<Throttle>,
    lifetime: u32,
    metrics: Metrics,
}

impl Authenticator {
    /// Over the Secrets in `stores`; tokens last `lifetime` seconds.
    pub fn new(client: Client, namespace: String, stores: Arc<Stores>, lifetime: u32, metrics: Metrics) -> Self {
        let verifier = Verifier::default();
        Self { client, namespace, stores, verifier, throttle: Default::default(), lifetime, metrics }
    }

    /// The caller of a request by its `X-Auth-Token`; 401 without a good one.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Fault> {
        let token = headers.get(TOKEN_HEADER).and_then(|v| v.to_str().ok()).ok_or_else(Fault::unauthorized)?;
        self.open(token).await
    }

    /// The caller that a token of ours stands for; 401 if it is no good any more.
    pub async fn open(&self, token: &str) -> Result<Caller, Fault> {
        if token.len() > TOKEN_LIMIT {
            return Err(Fault::unauthorized());
        }
        let ring = keys::ring(&self.stores.keystone, &self.namespace)?;
        let ticket = ring.open(token).ok_or_else(Fault::unauthorized)?;
        let expired = ticket.expires_at <= Timestamp::now().as_second();
        if expired || revoke::is_revoked(&self.stores.keystone, &self.namespace, &ticket.audit_id) {
            return Err(Fault::unauthorized());
        }
        let user = match &ticket.origin {
            Origin::Kubernetes => User { name: ticket.user.clone(), groups: ticket.groups.clone(), ceiling: None },
            Origin::Secret { fingerprint } => {
                let secret = self.users().find(&ticket.user).filter(|u| u.enabled && u.fingerprint() == *fingerprint);
                secret.ok_or_else(Fault::unauthorized)?.user()
            }
            Origin::ApplicationCredential { id, fingerprint } => {
                let found = self.application_credentials().find(id).filter(|c| c.fingerprint() == *fingerprint);
                self.behind(&found.ok_or_else(Fault::unauthorized)?)?
            }
        };
        let project = ticket.project.as_deref().and_then(|p| projects::get(&self.stores, p));
        if project.is_some_and(|p| !projects::Project::of(&p).enabled) {
            return Err(Fault::unauthorized());
        }
        Ok(Caller { user, project: ticket.project.clone(), ticket: Arc::new(ticket) })
    }

    /// The user with this name and password. The answer, and the work behind it, is the same for an unknown user, an
    /// unset password and a wrong one. 429 for a moment after repeated failures from one address.
    pub async fn by_password(&self, name: &str, password: String, peer: IpAddr) -> Result<(User, Origin), Fault> {
        let find = || self.users().find(name).filter(|u| u.enabled);
        let user = self.by_secret(name, password, peer, find, |u| u.password_hash.clone()).await?;
        Ok((user.user(), Origin::Secret { fingerprint: user.fingerprint() }))
    }

    /// The application credential with this id and secret, and its user; the same holds.
    pub async fn by_application_credential(
        &self,
        id: &str,
        secret: String,
        peer: IpAddr,
    ) -> Result<(User, Origin, ApplicationCredential), Fault> {
        let find = || self.application_credentials().find(id);
        // No user's name has a NUL.
        let guessed = format!("\0{id}");
        let found = self.by_secret(&guessed, secret, peer, find, |c| c.secret_hash.clone()).await?;
        let origin = Origin::ApplicationCredential { id: found.id.clone(), fingerprint: found.fingerprint() };
        Ok((self.behind(&found)?, origin, found))
    }

    /// What `find` gives, if `secret` has the hash of it.
    async fn by_secret<T>(
        &self,
        guessed: &str,
        secret: String,
        peer: IpAddr,
        find: impl FnOnce() -> Option<T>,
        hash: impl FnOnce(&T) -> String,
    ) -> Result<T, Fault> {
        admitted(self.with_throttle(|t| t.check(guessed, peer, Instant::now())))?;
        let turn = self.verifier.turn().await?;
        // Again: while this one waited, others sent at the same time may have failed.
        admitted(self.with_throttle(|t| t.admit(guessed, peer, Instant::now())))?;
        let found = find();
        let hash = found.as_ref().map(hash).or_else(|| self.users().any_hash());
        let (good, _turn) = turn.verify(secret, hash).await?;
        match found.filter(|_| good) {
            Some(found) => {
                self.with_throttle(|t| t.succeeded(guessed, peer));
                Ok(found)
            }
            None => {
                self.with_throttle(|t| t.failed(guessed, peer, Instant::now()));
                self.metrics.failed_logins.inc();
                Err(Fault::unauthorized())
            }
        }
    }

    /// The user behind an application credential, with what it leaves of the permissions; 401 if it has ended, or the user
    /// is gone.
    fn behind(&self, credential: &ApplicationCredential) -> Result<User, Fault> {
        let user = self.users().find(&credential.terms.user).filter(|u| u.enabled);
        let user = user.filter(|_| !credential.has_expired(Timestamp::now()));
        let user = user.ok_or_else(Fault::unauthorized)?.user();
        Ok(User { ceiling: credential.ceiling(), ..user })
    }

    /// The user behind a Kubernetes bearer token.
    pub async fn by_bearer(&self, token: &str) -> Result<(User, Origin), Fault> {
        let user = review::review(&self.client, token, None).await?;
        user.map(|u| (u, Origin::Kubernetes)).ok_or_else(|| {
            self.metrics.failed_logins.inc();
            Fault::unauthorized()
        })
    }

    /// Issues a token; `not_after` bounds its life when it was made from another token.
    pub fn issue(&self, new: NewTicket) -> Result<(String, Caller), Fault> {
        let now = Timestamp::now();
        let expires = now.as_second() + i64::from(self.lifetime);
        let ticket = Ticket {
            user: new.user.name.clone(),
            groups: if new.origin == Origin::Kubernetes { new.user.groups.clone() } else { Vec::new() },
            origin: new.origin,
            project: new.project.clone(),
            reach: new.reach,
            methods: new.methods,
            audit_id: new.audit_id.unwrap_or_else(ticket::new_audit_id),
            issued_at: now.as_second(),
            expires_at: new.not_after.map_or(expires, |limit| limit.min(expires)),
        };
        let text = keys::ring(&self.stores.keystone, &self.namespace)?.seal(&ticket)?;
        Ok((text, Caller { user: new.user, project: new.project, ticket: Arc::new(ticket) }))
    }

    /// Revokes a token and all that were made from it.
    pub async fn revoke(&self, caller: &Caller) -> Result<(), Fault> {
        revoke::revoke(&self.client, &self.stores.keystone, &self.namespace, &caller.ticket).await
    }

    /// The user's default project, if its Secret names one.
    pub fn default_project(&self, user: &User) -> Option<String> {
        self.users().find(&user.name).and_then(|u| u.default_project)
    }

    /// The users that have a Secret.
    pub fn users(&self) -> UserSecrets<'_> {
        UserSecrets::new(&self.stores.users)
    }

    /// The application credentials of all users.
    pub fn application_credentials(&self) -> ApplicationCredentials<'_> {
        ApplicationCredentials::new(&self.client, &self.stores.keystone, &self.namespace)
    }

    /// Hashes a password or another secret, when it is its turn.
    pub async fn hash(&self, secret: String) -> Result<String, Fault> {
        self.verifier.turn().await?.hash(secret).await
    }

    /// Gives a user another password; tokens that came of the old one are good no more.
    pub async fn set_password(&self, user: &UserSecret, password: String) -> Result<(), Fault> {
        let hash = self.hash(password).await?;
        self.write_users().set_password_hash(user, hash).await
    }

    /// The Secrets of users, to make and change them.
    pub fn write_users(&self) -> Users<'_> {
        Users::new(&self.client, &self.stores.users, &self.namespace)
    }

    fn with_throttle<T>(&self, f: impl FnOnce(&mut Throttle) -> T) -> T {
        f(&mut self.throttle.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// 429 if there are seconds to wait.
fn admitted(wait: Option<u32>) -> Result<(), Fault> {
    let Some(seconds) = wait else { return Ok(()) };
    let fault = Fault::new(http::StatusCode::TOO_MANY_REQUESTS, "Too many failed attempts; try again in some seconds.");
    Err(Fault { retry_after: Some(seconds), ..fault })
}

/// What a token is to stand for.
pub struct NewTicket {
    /// The user.
    pub user: User,
    /// How the user was proven.
    pub origin: Origin,
    /// The project, if scoped.
    pub project: Option<String>,
    /// The domain or the system, if scoped to one.
    pub reach: Option<Reach>,
    /// Keystone's methods.
    pub methods: Vec<String>,
    /// The audit id of the token that it is made from: revoking that one revokes this one.
    pub audit_id: Option<String>,
    /// When the token that it is made from expires, in seconds.
    pub not_after: Option<i64>,
}
