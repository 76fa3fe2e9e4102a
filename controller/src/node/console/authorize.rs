//! Who may read a console: the bearer of a token for our audience, whom RBAC allows to get `servers/console`.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
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
/// Most verdicts that are kept.
const MOST: usize = 1024;

/// What is decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be answered.
    Allowed,
    /// The token is not good.
    Unauthenticated,
    /// The token's owner may not.
    Forbidden,
}

/// Asks the API server about tokens, and remembers its answers briefly.
pub struct Authorizer {
    client: Client,
    verdicts: Mutex<HashMap<Question, (Verdict, Instant)>>,
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
        Self { client, verdicts: Mutex::new(HashMap::new()) }
    }

    /// Whether the bearer of `token` may read the console of a Server.
    pub async fn may_read(&self, token: &str, namespace: &str, name: &str) -> Result<Verdict, kube::Error> {
        let question = Question { token: token.into(), namespace: namespace.into(), name: name.into() };
        if let Some((verdict, _)) = self.verdicts().get(&question).filter(|(_, at)| at.elapsed() < HOLDS) {
            return Ok(*verdict);
        }
        let verdict = match self.user(token).await? {
            None => Verdict::Unauthenticated,
            Some(user) => match self.allows(user, namespace, name).await? {
                true => Verdict::Allowed,
                false => Verdict::Forbidden,
            },
        };
        let mut verdicts = self.verdicts();
        if verdicts.len() >= MOST {
            verdicts.retain(|_, (_, at)| at.elapsed() < HOLDS);
        }
        if verdicts.len() < MOST {
            verdicts.insert(question, (verdict, Instant::now()));
        }
        Ok(verdict)
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

    fn verdicts(&self) -> std::sync::MutexGuard<'_, HashMap<Question, (Verdict, Instant)>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
