//! What an operation needs: a verb on a resource, or on a virtual subresource that stands for an action.

use std::fmt;

use ostler_crds::GROUP;

/// Where the permission must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In the token's project. Cluster-wide kinds are asked for there too, so that a RoleBinding is enough.
    Project,
    /// In the whole cluster.
    Cluster,
}

/// API group of Kubernetes' Roles and bindings.
const RBAC: &str = "rbac.authorization.k8s.io";

/// A verb on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// API group: ours, but for what Keystone's administration asks for.
    pub group: &'static str,
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
        Self { group: GROUP, verb, resource, subresource: None, scope: Scope::Project }
    }

    /// `verb` on `resource/subresource` in the project.
    pub const fn sub(verb: &'static str, resource: &'static str, subresource: &'static str) -> Self {
        Self { subresource: Some(subresource), ..Self::on(verb, resource) }
    }

    /// `verb` on a resource of Kubernetes' own. Only those have it who were given more than a project.
    pub const fn kubernetes(verb: &'static str, group: &'static str, resource: &'static str) -> Self {
        Self { group, scope: Scope::Cluster, ..Self::on(verb, resource) }
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

/// What Keystone's administration asks for: the permission that Kubernetes itself would ask for, so that the caller could
/// do the same with kubectl; but for users, who are Secrets, because who may make any Secret may do far more.
pub mod identity {
    use super::{RBAC, Rule};

    /// Makes a project.
    pub const MAKE_PROJECT: Rule = Rule::kubernetes("create", "", "namespaces");
    /// Changes a project.
    pub const CHANGE_PROJECT: Rule = Rule::kubernetes("patch", "", "namespaces");
    /// Deletes a project.
    pub const DELETE_PROJECT: Rule = Rule::kubernetes("delete", "", "namespaces");
    /// Makes a user.
    pub const MAKE_USER: Rule = Rule::on("create", "users").everywhere();
    /// Changes a user.
    pub const CHANGE_USER: Rule = Rule::on("update", "users").everywhere();
    /// Deletes a user.
    pub const DELETE_USER: Rule = Rule::on("delete", "users").everywhere();
    /// Gives a role in a project.
    pub const GRANT: Rule = Rule::kubernetes("create", RBAC, "rolebindings");
    /// Takes it away.
    pub const REVOKE: Rule = Rule::kubernetes("delete", RBAC, "rolebindings");
    /// Gives a role in the whole cluster.
    pub const GRANT_WIDE: Rule = Rule::kubernetes("create", RBAC, "clusterrolebindings");
    /// Takes it away.
    pub const REVOKE_WIDE: Rule = Rule::kubernetes("delete", RBAC, "clusterrolebindings");
    /// Binds somebody to a ClusterRole.
    pub const BIND: Rule = Rule::kubernetes("bind", RBAC, "clusterroles");
}
