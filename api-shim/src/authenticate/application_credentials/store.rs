//! Reading, making and deleting the Secrets of application credentials.

use jiff::Timestamp;
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{
    Api, Client,
    api::{DeleteParams, ObjectMeta, PostParams},
};

use super::{ApplicationCredential, MOST, PREFIX, TYPE};
use crate::{
    authenticate::{keys::LABEL, users::UserSecret},
    fault::Fault,
    store::{Cache, refusal},
};

/// The application credentials of a release.
pub struct ApplicationCredentials<'a> {
    client: &'a Client,
    cache: &'a Cache<Secret>,
    namespace: &'a str,
}

impl<'a> ApplicationCredentials<'a> {
    /// Over the cache of what the Keystone front keeps for itself.
    pub fn new(client: &'a Client, cache: &'a Cache<Secret>, namespace: &'a str) -> Self {
        Self { client, cache, namespace }
    }

    /// The one with this id.
    pub fn find(&self, id: &str) -> Option<ApplicationCredential> {
        let secret = self.cache.get(Some(self.namespace), &format!("{PREFIX}{id}"))?;
        ApplicationCredential::read(&secret).filter(|_| secret.metadata.deletion_timestamp.is_none())
    }

    /// Those of a user, sorted by name.
    pub fn of_user(&self, user: &str) -> Vec<ApplicationCredential> {
        let all = self.cache.in_namespace(self.namespace);
        let mut own: Vec<_> = all.iter().filter_map(|s| ApplicationCredential::read(s)).collect();
        own.retain(|c| c.terms.user == user);
        own.sort_by(|a, b| a.terms.name.cmp(&b.terms.name));
        own
    }

    /// Makes one, which goes when the user's Secret does. 409 if the user has one of this name, 403 if too many.
    pub async fn create(&self, credential: &ApplicationCredential, user: &UserSecret) -> Result<(), Fault> {
        self.forget_expired(&user.name).await;
        if self.of_user(&user.name).len() >= MOST {
            return Err(Fault::forbidden(format!("A user has at most {MOST} application credentials.")));
        }
        let (name, uid) = user.object.clone();
        let owner = OwnerReference { api_version: "v1".into(), kind: "Secret".into(), name, uid, ..Default::default() };
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(credential.object_name()),
                labels: Some([(LABEL.to_owned(), "true".to_owned())].into()),
                owner_references: Some(vec![owner]),
                ..Default::default()
            },
            type_: Some(TYPE.to_owned()),
            data: credential.data(),
            ..Default::default()
        };
        let made = self.api().create(&PostParams::default(), &secret).await.map_err(|error| match &error {
            kube::Error::Api(status) if status.code == 409 => {
                Fault::conflict("Duplicate entry: there is an application credential of this name.")
            }
            _ => refusal::write_fault("application credential", &error),
        })?;
        self.cache.wait_for(&made).await;
        Ok(())
    }

    /// Deletes one; tokens that came of it are good no more.
    pub async fn delete(&self, credential: &ApplicationCredential) -> Result<(), Fault> {
        let name = credential.object_name();
        let known = self.cache.get(Some(self.namespace), &name);
        match self.api().delete(&name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            answer => drop(answer.map_err(|e| refusal::write_fault("application credential", &e))?),
        }
        if let Some(known) = known {
            self.cache.wait_gone(&known).await;
        }
        Ok(())
    }

    /// Deletes what a user has that ended long ago. A failure is told by the next attempt's refusal, if there is one.
    async fn forget_expired(&self, user: &str) {
        let now = Timestamp::now();
        for credential in self.of_user(user).iter().filter(|c| c.has_expired(now)) {
            if self.of_user(user).len() < MOST {
                return;
            }
            if let Err(fault) = self.delete(credential).await {
                tracing::warn!(%fault, "an application credential that has ended cannot be deleted");
            }
        }
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), self.namespace)
    }
}
