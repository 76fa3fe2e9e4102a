//! The proof of a check.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::rule::Rule;
use crate::authenticate::Caller;

/// Proof that its caller may do what its rule says in its project, to all objects or to one alone. Only [`super::Authorizer::authorize`] makes one.
#[derive(Debug, Clone)]
pub struct Permit {
    caller: Caller,
    project: String,
    rule: Rule,
    only: Option<String>,
}

impl Permit {
    /// Visible to the authorizer alone.
    pub(super) fn new(caller: Caller, project: String, rule: Rule) -> Self {
        Self { caller, project, rule, only: None }
    }

    /// The same for the object with this `metadata.name` alone.
    pub(super) fn only(self, name: String) -> Self {
        Self { only: Some(name), ..self }
    }

    /// Whether it was given for this object too. One that was given for a single object is good in its project and for
    /// cluster-wide kinds only.
    pub fn covers(&self, object: &ObjectMeta) -> bool {
        self.only.as_ref().is_none_or(|only| {
            object.name.as_ref() == Some(only) && object.namespace.as_ref().is_none_or(|n| *n == self.project)
        })
    }

    /// Who may.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The only namespace that the store writes to under this proof: the project that the token is scoped to, or that of
    /// the one server that somebody with a permission in the whole cluster asked for.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// What may be done.
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::authenticate::{
        User,
        ticket::{Origin, Ticket},
    };

    fn permit() -> Permit {
        let ticket = Ticket {
            user: "a".into(),
            groups: vec![],
            origin: Origin::Kubernetes,
            project: None,
            reach: None,
            methods: vec![],
            audit_id: String::new(),
            issued_at: 0,
            expires_at: 0,
        };
        let user = User { name: "a".into(), groups: vec![], ceiling: None };
        let caller = Caller { user, project: Some("prod".into()), ticket: Arc::new(ticket) };
        Permit::new(caller, "prod".into(), Rule::on("get", "servers"))
    }

    #[test]
    fn a_permit_for_one_object_covers_no_other() {
        let object = |namespace: Option<&str>, name: &str| ObjectMeta {
            namespace: namespace.map(str::to_owned),
            name: Some(name.to_owned()),
            ..Default::default()
        };
        let (all, one) = (permit(), permit().only("web".into()));
        assert!(all.covers(&object(Some("prod"), "web")) && all.covers(&object(Some("prod"), "db")));
        assert!(one.covers(&object(Some("prod"), "web")) && one.covers(&object(None, "web")));
        assert!(!one.covers(&object(Some("prod"), "db")) && !one.covers(&object(Some("dev"), "web")));
    }
}
