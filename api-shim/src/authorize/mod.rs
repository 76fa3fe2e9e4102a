//! What a caller may do: Kubernetes RBAC decides, asked by SubjectAccessReview; verdicts are kept for some seconds.
//!
//! A [`Permit`] is the proof of a check. Nothing outside this module can make one, and functions of [`crate::store`]
//! demand one.

mod cache;
mod ceiling;
mod permit;
pub mod roles;
pub mod rule;
mod warrant;

use std::{sync::Mutex, time::Instant};

use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::{Api, Client, api::PostParams};

use self::cache::{Question, Verdicts};
pub use self::{
    ceiling::Ceiling,
    permit::Permit,
    rule::{Rule, Scope},
    warrant::Warrant,
};
use crate::{
    authenticate::{Caller, User},
    fault::Fault,
    observe::Metrics,
    store::refusal,
};

/// Asks the API server who may do what.
pub struct Authorizer {
    client: Client,
    verdicts: Mutex<Verdicts>,
    metrics: Metrics,
}

impl Authorizer {
    /// Over a client that may create SubjectAccessReviews.
    pub fn new(client: Client, metrics: Metrics) -> Self {
        Self { client, verdicts: Mutex::default(), metrics }
    }

    /// The proof that `caller` may do what `rule` says, or 403 with a sentence that names the missing permission. Who may not
    /// do it to all objects may do it to the one that `name` finds, if a Role names it (`resourceNames`).
    pub async fn authorize(
        &self,
        caller: Caller,
        rule: Rule,
        name: impl FnOnce(&User, &str) -> Option<String>,
    ) -> Result<Permit, Fault> {
        let Some(project) = caller.project.clone() else {
            return Err(Fault::forbidden("This operation needs a token that is scoped to a project."));
        };
        let namespace = (rule.scope == Scope::Project).then_some(project.as_str());
        if self.may(&caller.user, namespace, rule).await? {
            return Ok(Permit::new(caller, project, rule));
        }
        let refusal = Fault::forbidden(format!(
            "Policy does not allow this operation: it needs permission to {rule} in {}.",
            namespace.map_or_else(|| "the whole cluster".to_owned(), |n| format!("project {n}"))
        ));
        let name = name(&caller.user, &project).ok_or_else(|| refusal.clone())?;
        let question = Question::new(&caller.user, namespace, rule).about(&name);
        if self.verdict(question).await? { Ok(Permit::new(caller, project, rule).only(name)) } else { Err(refusal) }
    }

    /// The proof that `caller` may do what `rule` says in `project`, which need not be the token's: only for those who may
    /// do it in the whole cluster.
    pub async fn authorize_elsewhere(
        &self,
        caller: &Caller,
        rule: Rule,
        project: String,
    ) -> Result<Option<Permit>, Fault> {
        let may = caller.project.is_some() && self.may(&caller.user, None, rule).await?;
        Ok(may.then(|| Permit::new(caller.clone(), project, rule.everywhere())))
    }

    /// The proof that `caller` may do what `rule` says in `namespace` (`None`: everywhere), or to the object `name` alone; or
    /// 403 with a sentence that names the missing permission.
    pub async fn warrant(
        &self,
        caller: &Caller,
        rule: Rule,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Result<Warrant, Fault> {
        let question = Question::new(&caller.user, namespace, rule);
        let question = if let Some(name) = name { question.about(name) } else { question };
        if self.verdict(question).await? {
            return Ok(Warrant::new(rule, namespace, name));
        }
        let place = namespace.map_or_else(|| "the whole cluster".to_owned(), |n| format!("project {n}"));
        let object = name.map(|n| format!(" {n}")).unwrap_or_default();
        Err(Fault::forbidden(format!(
            "Policy does not allow this operation: it needs permission to {rule}{object} in {place}."
        )))
    }

    /// Forgets what was said of a user, after a change of what he may do.
    pub fn forget(&self, user: &User) {
        self.with_verdicts(|v| v.forget(&user.name));
    }

    /// A further permission that only widens what is shown or accepted; no proof comes of it.
    pub async fn may_also(&self, permit: &Permit, rule: Rule) -> Result<bool, Fault> {
        let namespace = (rule.scope == Scope::Project).then(|| permit.project());
        self.may(&permit.caller().user, namespace, rule).await
    }

    /// The same about the one object with this `metadata.name`, which a Role may name.
    pub async fn may_also_on(&self, permit: &Permit, rule: Rule, name: &str) -> Result<bool, Fault> {
        let namespace = (rule.scope == Scope::Project).then(|| permit.project());
        self.verdict(Question::new(&permit.caller().user, namespace, rule).about(name)).await
    }

    /// Whether `user` may do what `rule` says in `namespace` (`None`: everywhere) to all objects.
    pub async fn may(&self, user: &User, namespace: Option<&str>, rule: Rule) -> Result<bool, Fault> {
        self.verdict(Question::new(user, namespace, rule)).await
    }

    async fn verdict(&self, question: Question) -> Result<bool, Fault> {
        if !question.is_below_ceiling() {
            return Ok(false);
        }
        if let Some(verdict) = self.with_verdicts(|v| v.get(&question, Instant::now())) {
            return Ok(verdict);
        }
        let verdict = self.ask(&question).await?;
        self.with_verdicts(|v| v.put(question, verdict, Instant::now()));
        Ok(verdict)
    }

    async fn ask(&self, question: &Question) -> Result<bool, Fault> {
        self.metrics.access_reviews.inc();
        let api: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = api.create(&PostParams::default(), &question.review()).await;
        let status = answer.map_err(|e| refusal::read_fault("SubjectAccessReview", &e))?.status;
        Ok(status.is_some_and(|s| s.allowed && s.denied != Some(true)))
    }

    fn with_verdicts<T>(&self, f: impl FnOnce(&mut Verdicts) -> T) -> T {
        f(&mut self.verdicts.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
