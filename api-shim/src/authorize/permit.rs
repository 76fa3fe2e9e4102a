//! The proof of a check.

use super::rule::Rule;
use crate::authenticate::Caller;

/// Proof that its caller may do what its rule says in its project. Only [`super::Authorizer::authorize`] makes one.
#[derive(Debug, Clone)]
pub struct Permit {
    caller: Caller,
    project: String,
    rule: Rule,
}

impl Permit {
    /// Visible to the authorizer alone.
    pub(super) fn new(caller: Caller, project: String, rule: Rule) -> Self {
        Self { caller, project, rule }
    }

    /// Who may.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The project that the token is scoped to: the only namespace that the store writes to under this proof.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// What may be done.
    pub fn rule(&self) -> Rule {
        self.rule
    }
}
