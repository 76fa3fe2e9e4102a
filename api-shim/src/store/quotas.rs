//! ProjectQuotas: what a project may have and has, and for administrators the change of it.

use std::sync::Arc;

use http::StatusCode;
use kube::Client;
use ostler_crds::{
    ProjectQuota,
    names::CREATOR_ANNOTATION,
    quota::{self, CLASS_DEFAULT, Limits, Resource, Usage},
};

use super::{Stores, write::ClusterWriter};
use crate::{authorize::Permit, fault::Fault, nova::servers::facts};

/// What a project may have.
#[derive(Debug, Clone, Default)]
pub struct Quotas {
    project: Option<Arc<ProjectQuota>>,
    class: Option<Arc<ProjectQuota>>,
}

impl Quotas {
    /// Those of a project.
    pub fn of(stores: &Stores, project: &str) -> Self {
        Self { project: stores.quotas.get(None, project), ..Self::class(stores) }
    }

    /// Those of a project that says nothing.
    pub fn class(stores: &Stores) -> Self {
        Self { project: None, class: stores.quotas.get(None, CLASS_DEFAULT) }
    }

    /// The limit of a resource; −1: none.
    pub fn limit(&self, resource: Resource) -> i64 {
        quota::limit(resource, self.project.as_deref(), self.class.as_deref())
    }

    /// What one user may have of it: his own limit, or the project's.
    pub fn limit_of_user(&self, user: &str, resource: Resource) -> i64 {
        let own = self.project.as_ref().and_then(|q| q.spec.users.get(user)?.get(resource));
        own.unwrap_or_else(|| self.limit(resource))
    }
}

/// What the Servers of a project take, or those that one user made.
pub fn used(stores: &Stores, project: &str, user: Option<&str>) -> Usage {
    let made_by = |s: &ostler_crds::Server| s.metadata.annotations.as_ref()?.get(CREATOR_ANNOTATION).cloned();
    let mut servers = stores.servers.in_namespace(project);
    servers.retain(|s| user.is_none_or(|u| made_by(s).as_deref() == Some(u)));
    let size = |s: &ostler_crds::Server| match facts::flavor(stores, s) {
        Some(flavor) => Usage::of(1, flavor.vcpus, flavor.memory_mib),
        None => Usage::of(1, 0, 0),
    };
    servers.iter().fold(Usage::default(), |sum, server| sum.plus(size(server)))
}

fn writer<'a>(client: &'a Client, stores: &'a Stores) -> ClusterWriter<'a, ProjectQuota> {
    ClusterWriter { client, cache: &stores.quotas, what: "ProjectQuota" }
}

/// Changes the limits of a project (or the class), or those of one of its users.
pub async fn change(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    name: &str,
    user: Option<&str>,
    limits: &[(Resource, i64)],
) -> Result<(), Fault> {
    let apply = |quota: &mut ProjectQuota| {
        let target: &mut Limits = match user {
            None => &mut quota.spec.limits,
            Some(user) => quota.spec.users.entry(user.to_owned()).or_default(),
        };
        limits.iter().for_each(|(resource, limit)| target.set(*resource, *limit));
        Ok(())
    };
    let writer = writer(client, stores);
    for _ in 0..2 {
        if let Some(known) = stores.quotas.get(None, name) {
            writer.change(permit, known, apply).await?;
            return Ok(());
        }
        let mut quota = ProjectQuota::new(name, Default::default());
        apply(&mut quota)?;
        match writer.create_named(permit, quota).await {
            Ok(_) => return Ok(()),
            // Somebody made it meanwhile; it is about to be seen.
            Err(fault) if fault.status == StatusCode::CONFLICT => {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::conflict("The quota is being changed by others; try again."))
}

/// Forgets the limits of a project, or those of one of its users.
pub async fn reset(
    client: &Client,
    stores: &Stores,
    permit: &Permit,
    name: &str,
    user: Option<&str>,
) -> Result<(), Fault> {
    let Some(known) = stores.quotas.get(None, name) else { return Ok(()) };
    match user {
        None => writer(client, stores).delete(permit, &known).await,
        Some(user) => {
            let change = |quota: &mut ProjectQuota| {
                quota.spec.users.remove(user);
                Ok(())
            };
            writer(client, stores).change(permit, known, change).await.map(drop)
        }
    }
}
