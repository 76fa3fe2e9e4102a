//! Making, changing and deleting the Secrets of users.

use std::sync::Arc;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use ostler_crds::names::{KEYSTONE_LABEL, USER_LABEL};
use serde_json::{Map, Value};

use super::{PREFIX, UserSecret};
use crate::{
    authenticate::caller::user_id,
    authorize::{Warrant, rule::identity},
    fault::Fault,
    store::{
        Cache, refusal,
        write::{At, seen},
    },
};

/// What is to become of a user; `None`: it stays.
#[derive(Default)]
pub struct Change {
    /// argon2id PHC string.
    pub password_hash: Option<String>,
    /// Whether the user may come in.
    pub enabled: Option<bool>,
    /// Project that a password login without a scope gets; empty: none.
    pub default_project: Option<String>,
    /// What Keystone shows besides; `null` removes.
    pub attributes: Map<String, Value>,
}

impl Change {
    /// Writes it over what a Secret holds.
    fn over(&self, secret: &mut Secret) {
        let known = UserSecret::read(secret).map(|u| u.attributes).unwrap_or_default();
        let mut attributes = known;
        for (key, value) in &self.attributes {
            match value {
                Value::Null => drop(attributes.remove(key)),
                value => drop(attributes.insert(key.clone(), value.clone())),
            }
        }
        let data = secret.data.get_or_insert_default();
        let mut put = |key: &str, value: Option<String>| match value.filter(|v| !v.is_empty()) {
            Some(value) => drop(data.insert(key.to_owned(), ByteString(value.into_bytes()))),
            None => drop(data.remove(key)),
        };
        if let Some(hash) = &self.password_hash {
            put("password-hash", Some(hash.clone()));
        }
        if let Some(enabled) = self.enabled {
            put("enabled", (!enabled).then(|| "false".to_owned()));
        }
        if let Some(project) = &self.default_project {
            put("default-project", Some(project.clone()));
        }
        if !self.attributes.is_empty() {
            put("attributes", (!attributes.is_empty()).then(|| Value::Object(attributes).to_string()));
        }
    }
}

/// Where users are.
pub struct Users<'a> {
    client: &'a Client,
    cache: &'a Cache<Secret>,
    namespace: &'a str,
}

impl<'a> Users<'a> {
    /// Those of a release.
    pub fn new(client: &'a Client, cache: &'a Cache<Secret>, namespace: &'a str) -> Self {
        Self { client, cache, namespace }
    }

    fn at(&self) -> At<'_, Secret> {
        At { api: Api::namespaced(self.client.clone(), self.namespace), cache: self.cache, what: "user" }
    }

    /// Makes the user whom Keystone calls so; 409 if there is one.
    pub async fn create(&self, warrant: &Warrant, login: &str, change: Change) -> Result<UserSecret, Fault> {
        warranted(warrant.covers(identity::MAKE_USER, None, None))?;
        let name = format!("{PREFIX}{login}");
        let labels = [(USER_LABEL.to_owned(), "true".to_owned()), (KEYSTONE_LABEL.to_owned(), "true".to_owned())];
        let mut secret = Secret {
            metadata: ObjectMeta {
                name: Some(format!("keystone-user-{}", user_id(&name))),
                labels: Some(labels.into()),
                ..Default::default()
            },
            type_: Some("Opaque".to_owned()),
            data: Some([("name".to_owned(), ByteString(name.into_bytes()))].into()),
            ..Default::default()
        };
        change.over(&mut secret);
        let at = self.at();
        let made = at.api.create(&PostParams::default(), &secret).await.map_err(|error| match &error {
            kube::Error::Api(status) if status.code == 409 => Fault::conflict("Duplicate entry: there is such a user."),
            _ => refusal::write_fault("user", &error),
        })?;
        read(seen(self.cache, made).await.as_ref())
    }

    /// Changes a user. Tokens that came of another password are good no more.
    pub async fn change(&self, warrant: &Warrant, user: &UserSecret, change: &Change) -> Result<UserSecret, Fault> {
        warranted(warrant.covers(identity::CHANGE_USER, None, None))?;
        self.rewrite(user, change).await
    }

    /// Gives a user another password, for the user himself.
    pub async fn set_password_hash(&self, user: &UserSecret, hash: String) -> Result<(), Fault> {
        self.rewrite(user, &Change { password_hash: Some(hash), ..Default::default() }).await.map(drop)
    }

    async fn rewrite(&self, user: &UserSecret, change: &Change) -> Result<UserSecret, Fault> {
        let at = self.at();
        let written = at.change(self.known(user)?, |secret| {
            change.over(secret);
            Ok(())
        });
        read(written.await?.as_ref())
    }

    /// Deletes a user, and so all tokens and application credentials of the user.
    pub async fn delete(&self, warrant: &Warrant, user: &UserSecret) -> Result<(), Fault> {
        warranted(warrant.covers(identity::DELETE_USER, None, None))?;
        self.at().delete(self.known(user)?.as_ref()).await
    }

    /// The very Secret: that of another user under this name is not meant.
    fn known(&self, user: &UserSecret) -> Result<Arc<Secret>, Fault> {
        let (name, uid) = &user.object;
        let known = self.cache.get(Some(self.namespace), name);
        known.filter(|s| s.metadata.uid.as_ref() == Some(uid)).ok_or_else(|| Fault::not_found("Could not find user."))
    }
}

fn read(secret: &Secret) -> Result<UserSecret, Fault> {
    UserSecret::read(secret).ok_or_else(|| Fault::internal("user", &"the Secret is not that of a user"))
}

fn warranted(covered: bool) -> Result<(), Fault> {
    if covered { Ok(()) } else { Err(Fault::internal("users", &"the proof is for something else")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let mut secret = Secret::default();
        let text =
            |s: &Secret, key: &str| s.data.as_ref()?.get(key).map(|b| String::from_utf8_lossy(&b.0).into_owned());
        let attributes = |value: Value| value.as_object().cloned().unwrap_or_default();
        let first = Change {
            password_hash: Some("h".into()),
            enabled: Some(false),
            default_project: Some("dev".into()),
            attributes: attributes(json!({"email": "a@b", "description": "x"})),
        };
        first.over(&mut secret);
        secret.data.get_or_insert_default().insert("name".into(), ByteString(b"keystone:a".to_vec()));
        Change { enabled: Some(true), ..Default::default() }.over(&mut secret);
        assert_eq!(text(&secret, "enabled"), None);
        assert_eq!(
            (text(&secret, "password-hash"), text(&secret, "default-project")),
            (Some("h".into()), Some("dev".into()))
        );
        Change { attributes: attributes(json!({"email": null})), ..Default::default() }.over(&mut secret);
        assert_eq!(UserSecret::read(&secret).unwrap().attributes, attributes(json!({"description": "x"})));
    }
}
