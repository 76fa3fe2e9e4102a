//! Who may read a console: the bearer of a token for our audience, whom RBAC allows to get `servers/console`.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec},
};
use kube::{Api, Client, api::PostParams};
use ostler_crds::{GROUP, names::STREAM_AUDIENCE};

/// How long a verdict holds.
const HOLDS: Duration = Duration::from_secs(10);
/// Most verdicts that are kept; good and bad ones apart, so that bad tokens drive out no good ones.
const MOST: usize = 1024;
/// Bad tokens that a peer may have checked within [`HOLDS`].
const BAD_TOKENS: u32 = 20;

/// What is decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be answered.
    Allowed,
    /// The token is not good.
    Unauthenticated,
    /// The token's owner may not.
    Forbidden,
    /// The peer came with too many bad tokens lately; this one was not looked at.
    TooMany,
}

/// Asks the API server about tokens, and remembers its answers briefly.
pub struct Authorizer {
    client: Client,
    verdicts: Mutex<HashMap<Question, (Verdict, Instant)>>,
    bad: Mutex<HashMap<String, ((), Instant)>>,
    peers: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

/// What is asked. The token is kept as such, in memory only, for seconds.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    token: String,
    namespace: String,
    name: String,
}

impl Authorizer {
    /// Asks through this client.
    pub fn new(client: Client) -> Self {
        Self { client, verdicts: Mutex::default(), bad: Mutex::default(), peers: Mutex::default() }
    }

    /// Whether the bearer of `token` may read the console of a Server.
    pub async fn may_read(
        &self,
        token: &str,
        namespace: &str,
        name: &str,
        peer: IpAddr,
    ) -> Result<Verdict, kube::Error> {
        let question = Question { token: token.into(), namespace: namespace.into(), name: name.into() };
        if let Some((verdict, _)) = locked(&self.verdicts).get(&question).filter(|(_, at)| at.elapsed() < HOLDS) {
            return Ok(*verdict);
        }
        if locked(&self.bad).get(token).is_some_and(|(_, at)| at.elapsed() < HOLDS) {
            return Ok(Verdict::Unauthenticated);
        }
        if !self.may_try(peer, Instant::now()) {
            return Ok(Verdict::TooMany);
        }
        let checked = self.user(token).await;
        if let Ok(None) = checked {
            keep(&self.bad, token.to_owned(), ());
            return Ok(Verdict::Unauthenticated);
        }
        // Good, or the API server did not answer, which is no fault of the peer.
        self.not_bad(peer);
        let Some(user) = checked? else { return Ok(Verdict::Unauthenticated) };
        let verdict = match self.allows(user, namespace, name).await? {
            true => Verdict::Allowed,
            false => Verdict::Forbidden,
        };
        keep(&self.verdicts, question, verdict);
        Ok(verdict)
    }

    /// Whether a peer may have a token checked. It counts as a bad one until it is found good.
    fn may_try(&self, peer: IpAddr, now: Instant) -> bool {
        let mut peers = locked(&self.peers);
        if peers.len() >= MOST {
            peers.retain(|_, (_, since)| now.saturating_duration_since(*since) < HOLDS);
        }
        if peers.len() >= MOST && !peers.contains_key(&peer) {
            // So many peers at once: the number of connections limits them.
            return true;
        }
        let (bad, since) = peers.entry(peer).or_insert((0, now));
        if now.saturating_duration_since(*since) >= HOLDS {
            (*bad, *since) = (0, now);
        }
        *bad = bad.saturating_add(1);
        *bad <= BAD_TOKENS
    }

    fn not_bad(&self, peer: IpAddr) {
        if let Some((bad, _)) = locked(&self.peers).get_mut(&peer) {
            *bad = bad.saturating_sub(1);
        }
    }

    async fn user(&self, token: &str) -> Result<Option<UserInfo>, kube::Error> {
        let spec = TokenReviewSpec { token: token.into(), audiences: Some(vec![STREAM_AUDIENCE.into()]) };
        let review = TokenReview { spec, ..TokenReview::default() };
        let answer = Api::<TokenReview>::all(self.client.clone()).create(&PostParams::default(), &review).await?;
        let status = answer.status.unwrap_or_default();
        // An authenticator that knows no audiences leaves them out; such a token was not made for us.
        let ours = status.audiences.iter().flatten().any(|a| a == STREAM_AUDIENCE);
        Ok(status.user.filter(|_| status.authenticated == Some(true) && ours))
    }

    async fn allows(&self, user: UserInfo, namespace: &str, name: &str) -> Result<bool, kube::Error> {
        let resource = ResourceAttributes {
            namespace: Some(namespace.into()),
            verb: Some("get".into()),
            group: Some(GROUP.into()),
            resource: Some("servers".into()),
            subresource: Some("console".into()),
            name: Some(name.into()),
            ..ResourceAttributes::default()
        };
        let spec = SubjectAccessReviewSpec {
            user: user.username,
            groups: user.groups,
            uid: user.uid,
            extra: user.extra,
            resource_attributes: Some(resource),
            ..SubjectAccessReviewSpec::default()
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        let answer =
            Api::<SubjectAccessReview>::all(self.client.clone()).create(&PostParams::default(), &review).await?;
        Ok(answer.status.is_some_and(|s| s.allowed))
    }
}

/// Remembers a verdict, if there is room.
fn keep<K: Eq + std::hash::Hash, V>(kept: &Mutex<HashMap<K, (V, Instant)>>, key: K, verdict: V) {
    let mut kept = locked(kept);
    if kept.len() >= MOST {
        kept.retain(|_, (_, at)| at.elapsed() < HOLDS);
    }
    if kept.len() < MOST {
        kept.insert(key, (verdict, Instant::now()));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
