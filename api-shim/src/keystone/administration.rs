//! Whether this release serves the administration of projects, users and roles, and what its roles are in Kubernetes.

use crate::{app::App, authorize::roles::Role, fault::Fault};

/// ClusterRoles that Keystone's roles stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRoles {
    /// `reader`, and a part of `member`.
    pub view: String,
    /// The other part of `member`.
    pub edit: String,
    /// `admin`, of servers and all that belongs to them. It holds in the whole cluster, as Nova and Keystone have it.
    pub admin: String,
    /// The other part of `admin`: of projects, users and roles.
    pub identity_admin: String,
}

impl ClusterRoles {
    /// What a role gives: ClusterRoles, and whether they hold in the whole cluster.
    pub fn of(&self, role: Role) -> Vec<(&str, bool)> {
        match role {
            Role::Admin => vec![(self.admin.as_str(), true), (self.identity_admin.as_str(), true)],
            Role::Member => vec![(self.view.as_str(), false), (self.edit.as_str(), false)],
            Role::Reader => vec![(self.view.as_str(), false)],
        }
    }
}

/// The roles, or 501 in a release that leaves all this to Kubernetes.
pub fn served(app: &App) -> Result<&ClusterRoles, Fault> {
    app.settings.cluster_roles.as_ref().ok_or_else(|| {
        Fault::new(
            http::StatusCode::NOT_IMPLEMENTED,
            "Projects, users and roles are made with kubectl: the administration by Keystone is not switched on \
             (apiShim.identityAdministration of the chart).",
        )
    })
}
