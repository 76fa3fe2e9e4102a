//! Roles that the Keystone front gives: bindings with a name of their own for each user, role and project.

use std::time::Duration;

use k8s_openapi::{
    api::{
        core::v1::Namespace,
        rbac::v1::{ClusterRoleBinding, RoleBinding, RoleRef, Subject},
    },
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, PostParams},
};
use ostler_crds::names::{GRANTEE_LABEL, KEYSTONE_LABEL};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{projects::warranted, refusal};
use crate::{
    authenticate::User,
    authorize::{Warrant, rule::identity},
    fault::Fault,
};

/// API group of bindings.
const GROUP: &str = "rbac.authorization.k8s.io";
/// How often it is looked whether a change has come into force.
pub const LOOK_EVERY: Duration = Duration::from_millis(30);

/// A ClusterRole for a user, in a project or because of it.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Who.
    pub user: &'a User,
    /// The project.
    pub project: &'a Namespace,
    /// What Keystone calls it.
    pub role: &'a str,
    /// What Kubernetes calls it.
    pub cluster_role: &'a str,
    /// Whether it holds in the whole cluster.
    pub wide: bool,
}

impl Grant<'_> {
    fn name(&self) -> String {
        let text = format!("{}/{}", self.project.name_any(), self.user.name);
        let of = hex::encode(&Sha256::digest(text.as_bytes())[..8]);
        format!("keystone-{}-{}-{of}", self.role, self.cluster_role)
    }

    fn metadata(&self) -> ObjectMeta {
        let labels = [(KEYSTONE_LABEL.to_owned(), "true".to_owned()), (GRANTEE_LABEL.to_owned(), self.user.id())];
        // What holds in the whole cluster goes with the project all the same.
        let owner = OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            name: self.project.name_any(),
            uid: self.project.uid().unwrap_or_default(),
            ..Default::default()
        };
        ObjectMeta {
            name: Some(self.name()),
            labels: Some(labels.into()),
            owner_references: self.wide.then(|| vec![owner]),
            ..Default::default()
        }
    }

    fn role_ref(&self) -> RoleRef {
        RoleRef {
            api_group: Some(GROUP.to_owned()),
            kind: "ClusterRole".to_owned(),
            name: self.cluster_role.to_owned(),
        }
    }

    fn subjects(&self) -> Option<Vec<Subject>> {
        let (api_group, name) = (Some(GROUP.to_owned()), self.user.name.clone());
        Some(vec![Subject { api_group, kind: "User".to_owned(), name, namespace: None }])
    }

    /// Gives it; one that was given is no matter.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn give(&self, client: &Client, may: &Warrant, bind: &Warrant) -> Result<(), Fault> {
        warranted(bind.covers(identity::BIND, None, Some(self.cluster_role)))?;
        let project = self.project.name_any();
        if self.wide {
            warranted(may.covers(identity::GRANT_WIDE, None, None))?;
            let binding =
                ClusterRoleBinding { metadata: self.metadata(), role_ref: self.role_ref(), subjects: self.subjects() };
            return make(Api::all(client.clone()), &binding).await;
        }
        warranted(may.covers(identity::GRANT, Some(&project), None))?;
        let binding = RoleBinding { metadata: self.metadata(), role_ref: self.role_ref(), subjects: self.subjects() };
        make(Api::namespaced(client.clone(), &project), &binding).await
    }

    /// Takes it away; whether there was one.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn take(&self, client: &Client, may: &Warrant) -> Result<bool, Fault> {
        let project = self.project.name_any();
        if self.wide {
            warranted(may.covers(identity::REVOKE_WIDE, None, None))?;
            return remove(&Api::<ClusterRoleBinding>::all(client.clone()), &self.name()).await;
        }
        warranted(may.covers(identity::REVOKE, Some(&project), None))?;
        remove(&Api::<RoleBinding>::namespaced(client.clone(), &project), &self.name()).await
    }
}

/// Takes away all that was given to a user who is being deleted: the next one of this name starts with nothing.
///
/// # Errors
/// The API server refuses it.
pub async fn take_all(client: &Client, may: &Warrant, user: &User) -> Result<(), Fault> {
    warranted(may.covers(identity::DELETE_USER, None, None))?;
    let own = ListParams::default().labels(&format!("{KEYSTONE_LABEL}=true,{GRANTEE_LABEL}={}", user.id()));
    let fault = |e: kube::Error| refusal::read_fault("role", &e);
    for binding in Api::<RoleBinding>::all(client.clone()).list(&own).await.map_err(fault)? {
        let namespace = binding.namespace().unwrap_or_default();
        remove(&Api::<RoleBinding>::namespaced(client.clone(), &namespace), &binding.name_any()).await?;
    }
    let wide = Api::<ClusterRoleBinding>::all(client.clone());
    for binding in wide.list(&own).await.map_err(fault)? {
        remove(&wide, &binding.name_any()).await?;
    }
    Ok(())
}

async fn make<K: Clone + std::fmt::Debug + Serialize + DeserializeOwned>(api: Api<K>, object: &K) -> Result<(), Fault> {
    match api.create(&PostParams::default(), object).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        answer => answer.map(drop).map_err(|e| refusal::write_fault("role", &e)),
    }
}

async fn remove<K: Resource + Clone + std::fmt::Debug + DeserializeOwned>(
    api: &Api<K>,
    name: &str,
) -> Result<bool, Fault> {
    match api.delete(name, &DeleteParams::default()).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(refusal::write_fault("role", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_role_and_project_has_a_binding_of_its_own() {
        let user = |name: &str| User { name: name.into(), groups: vec![], ceiling: None };
        let project = |name: &str| {
            let mut namespace = Namespace::default();
            namespace.metadata.name = Some(name.into());
            namespace
        };
        let (ada, bob, dev, prod) = (user("ada"), user("bob"), project("dev"), project("prod"));
        let grant = |user, project, role, wide| Grant { user, project, role, cluster_role: "ostler-view", wide };
        let names = [
            grant(&ada, &dev, "member", false).name(),
            grant(&bob, &dev, "member", false).name(),
            grant(&ada, &prod, "member", false).name(),
            grant(&ada, &dev, "reader", false).name(),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert!(grant(&ada, &dev, "admin", true).metadata().owner_references.is_some());
        assert!(grant(&ada, &dev, "member", false).metadata().owner_references.is_none());
    }
}
