//! What an operation needs: a verb on a resource, or on a virtual subresource that stands for an action.

use std::fmt;

/// Where the permission must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In the token's project. Cluster-wide kinds are asked for there too, so that a RoleBinding is enough.
    Project,
    /// In the whole cluster.
    Cluster,
}

/// A verb on a resource of the group `compute.ostler.dev`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// RBAC verb.
    pub verb: &'static str,
    /// Plural of a kind.
    pub resource: &'static str,
    /// Subresource; most are virtual and only mean something to this shim and to the chart's admission policies.
    pub subresource: Option<&'static str>,
    /// Where it must hold.
    pub scope: Scope,
}

impl Rule {
    /// `verb` on `resource` in the project.
    pub const fn on(verb: &'static str, resource: &'static str) -> Self {
        Self { verb, resource, subresource: None, scope: Scope::Project }
    }

    /// `verb` on `resource/subresource` in the project.
    pub const fn sub(verb: &'static str, resource: &'static str, subresource: &'static str) -> Self {
        Self { verb, resource, subresource: Some(subresource), scope: Scope::Project }
    }

    /// The same in the whole cluster.
    pub const fn everywhere(self) -> Self {
        Self { scope: Scope::Cluster, ..self }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subresource {
            Some(sub) => write!(f, "{} {}/{sub}", self.verb, self.resource),
            None => write!(f, "{} {}", self.verb, self.resource),
        }
    }
}

/// Rules that are asked for from more than one place.
pub mod common {
    use super::Rule;

    /// Makes somebody an administrator in the eyes of Keystone.
    pub const ADMIN: Rule = Rule::on("create", "flavors").everywhere();
    /// Lists Servers of all projects.
    pub const ALL_PROJECTS: Rule = Rule::on("list", "servers").everywhere();
    /// Makes somebody a member of a project.
    pub const MEMBER: Rule = Rule::on("create", "servers");
    /// Makes somebody a reader of a project.
    pub const READER: Rule = Rule::on("list", "servers");
    /// Changes a Server that is locked.
    pub const OVERRIDE_LOCK: Rule = Rule::sub("update", "servers", "locked");
    /// Shows on which host a guest runs.
    pub const SEE_HOST: Rule = Rule::sub("get", "servers", "host");
}
