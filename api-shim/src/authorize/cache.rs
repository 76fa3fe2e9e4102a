//! Verdicts that are still fresh. Pure: the time is an argument.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};

use super::{Ceiling, Rule};
use crate::authenticate::User;

/// How long a verdict holds.
const FRESH: Duration = Duration::from_secs(10);
/// Most verdicts kept.
const ENTRIES: usize = 50_000;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    user: String,
    groups: Vec<String>,
    namespace: Option<String>,
    rule: Rule,
    name: Option<String>,
    ceiling: Option<Ceiling>,
}

impl Question {
    pub(super) fn new(user: &User, namespace: Option<&str>, rule: Rule) -> Self {
        let (groups, namespace) = (user.groups.clone(), namespace.map(str::to_owned));
        Self { user: user.name.clone(), groups, namespace, rule, name: None, ceiling: user.ceiling }
    }

    /// The same about one object.
    pub(super) fn about(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// Whether it is worth asking: what an application credential was not given, nobody needs to be asked about.
    pub(super) fn is_below_ceiling(&self) -> bool {
        self.ceiling.is_none_or(|c| c.allows(self.rule))
    }

    /// As the API server is asked.
    pub(super) fn review(&self) -> SubjectAccessReview {
        let attributes = ResourceAttributes {
            group: Some(self.rule.group.to_owned()),
            resource: Some(self.rule.resource.to_owned()),
            subresource: self.rule.subresource.map(str::to_owned),
            verb: Some(self.rule.verb.to_owned()),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            ..Default::default()
        };
        SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(self.user.clone()),
                groups: Some(self.groups.clone()),
                resource_attributes: Some(attributes),
                ..Default::default()
            },
            ..Default::default()
        }
    }
}

/// Verdicts by question.
#[derive(Default)]
pub(super) struct Verdicts(HashMap<Question, (bool, Instant)>);

impl Verdicts {
    pub(super) fn get(&self, question: &Question, now: Instant) -> Option<bool> {
        self.0.get(question).filter(|(_, at)| now.saturating_duration_since(*at) < FRESH).map(|(v, _)| *v)
    }

    /// Forgets what was said of a user.
    pub(super) fn forget(&mut self, user: &str) {
        self.0.retain(|question, _| question.user != user);
    }

    pub(super) fn put(&mut self, question: Question, verdict: bool, now: Instant) {
        if self.0.len() >= ENTRIES {
            self.0.retain(|_, (_, at)| now.saturating_duration_since(*at) < FRESH);
        }
        if self.0.len() >= ENTRIES {
            self.0.clear();
        }
        self.0.insert(question, (verdict, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_holds_for_its_question_only_and_not_for_long() {
        let (mut verdicts, now) = (Verdicts::default(), Instant::now());
        let user = User { name: "a".into(), groups: vec!["g".into()], ceiling: None };
        let rule = Rule::on("list", "servers");
        let asked = |u: &User, ns: &str, r: Rule| Question::new(u, Some(ns), r);
        verdicts.put(asked(&user, "prod", rule), true, now);
        assert_eq!(verdicts.get(&asked(&user, "prod", rule), now), Some(true));
        assert_eq!(verdicts.get(&asked(&user, "dev", rule), now), None);
        assert_eq!(verdicts.get(&asked(&user, "prod", rule).about("web"), now), None);
        assert_eq!(verdicts.get(&asked(&User { groups: vec![], ..user.clone() }, "prod", rule), now), None);
        assert_eq!(verdicts.get(&asked(&user, "prod", Rule::on("create", "servers")), now), None);
        assert_eq!(verdicts.get(&asked(&user, "prod", rule), now + FRESH), None);
        verdicts.forget("b");
        assert_eq!(verdicts.get(&asked(&user, "prod", rule), now), Some(true));
        verdicts.forget("a");
        assert_eq!(verdicts.get(&asked(&user, "prod", rule), now), None);
    }
}
