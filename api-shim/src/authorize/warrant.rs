//! The proof of a check that stands outside of projects: what makes projects, users and grants.

use super::rule::Rule;

/// Proof that somebody may do what its rule says to the object, or in the namespace, that it was asked about. Only
/// [`super::Authorizer::warrant`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warrant {
    rule: Rule,
    namespace: Option<String>,
    name: Option<String>,
}

impl Warrant {
    /// Visible to the authorizer alone.
    pub(super) fn new(rule: Rule, namespace: Option<&str>, name: Option<&str>) -> Self {
        Self { rule, namespace: namespace.map(str::to_owned), name: name.map(str::to_owned) }
    }

    /// Whether it was given for this: a name that it does not say is any name, a namespace that it does not say is all.
    pub fn covers(&self, rule: Rule, namespace: Option<&str>, name: Option<&str>) -> bool {
        self.rule == rule
            && (self.namespace.is_none() || self.namespace.as_deref() == namespace)
            && (self.name.is_none() || self.name.as_deref() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::rule::identity::{DELETE_PROJECT, GRANT, MAKE_PROJECT};

    #[test]
    fn a_warrant_is_good_for_what_it_was_asked_about() {
        let one = Warrant::new(DELETE_PROJECT, None, Some("dev"));
        assert!(one.covers(DELETE_PROJECT, None, Some("dev")));
        assert!(!one.covers(DELETE_PROJECT, None, Some("prod")) && !one.covers(MAKE_PROJECT, None, Some("dev")));
        let inside = Warrant::new(GRANT, Some("dev"), None);
        assert!(inside.covers(GRANT, Some("dev"), Some("any")));
        assert!(!inside.covers(GRANT, Some("prod"), None) && !inside.covers(GRANT, None, None));
    }
}
