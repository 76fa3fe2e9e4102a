//! Users that have a Secret in the release namespace: label `compute.ostler.dev/user=true`, keys `name`,
//! `password-hash`, and optionally `groups` (commas between) and `default-project`.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::caller::User;
use crate::{
    fault::Fault,
    store::{Cache, refusal},
};

/// A user's Secret, read.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSecret {
    /// Name and uid of the Secret itself.
    pub object: (String, String),
    /// Kubernetes user name.
    pub name: String,
    /// argon2id PHC string.
    pub password_hash: String,
    /// Kubernetes groups.
    pub groups: Vec<String>,
    /// Project that a password login without a scope gets.
    pub default_project: Option<String>,
}

impl fmt::Debug for UserSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl UserSecret {
    /// Reads a Secret; `None` if it lacks a name or a hash.
    pub fn read(secret: &Secret) -> Option<Self> {
        let text = |key: &str| {
            let bytes = secret.data.as_ref()?.get(key)?;
            std::str::from_utf8(&bytes.0).ok().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty())
        };
        let groups = text("groups").unwrap_or_default();
        let meta = &secret.metadata;
        Some(Self {
            object: (meta.name.clone().unwrap_or_default(), meta.uid.clone().unwrap_or_default()),
            name: text("name")?,
            password_hash: text("password-hash")?,
            groups: groups.split(',').map(|g| g.trim().to_owned()).filter(|g| !g.is_empty()).collect(),
            default_project: text("default-project"),
        })
    }

    /// Changes when the password does; says nothing about it.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.password_hash)
    }

    /// The user.
    pub fn user(&self) -> User {
        let mut groups = self.groups.clone();
        groups.push("system:authenticated".to_owned());
        User { name: self.name.clone(), groups, ceiling: None }
    }
}

/// Changes when a hash does; says nothing about it.
pub(super) fn fingerprint(hash: &str) -> String {
    hex::encode(&Sha256::digest(hash.as_bytes())[..8])
}

/// The users in a cache.
pub struct UserSecrets<'a>(&'a Cache<Secret>);

impl<'a> UserSecrets<'a> {
    /// Over the cache of user Secrets.
    pub fn new(cache: &'a Cache<Secret>) -> Self {
        Self(cache)
    }

    /// The user with this name. If two Secrets claim a name, the one whose own name sorts first wins.
    pub fn find(&self, name: &str) -> Option<UserSecret> {
        self.0.all().iter().filter_map(|s| UserSecret::read(s)).find(|u| u.name == name)
    }

    /// The user with this OpenStack id.
    pub fn find_by_id(&self, id: &str) -> Option<UserSecret> {
        self.0.all().iter().filter_map(|s| UserSecret::read(s)).find(|u| u.user().id() == id)
    }

    /// All users, sorted by name.
    pub fn all(&self) -> Vec<UserSecret> {
        let mut users: Vec<UserSecret> = self.0.all().iter().filter_map(|s| UserSecret::read(s)).collect();
        users.sort_by(|a, b| a.name.cmp(&b.name));
        // Of two that claim a name the first wins, as in `find`.
        users.dedup_by(|b, a| a.name == b.name);
        users
    }

    /// Some user's hash: what a login of an unknown user is measured against, so that it costs the same.
    pub fn any_hash(&self) -> Option<String> {
        // The password could be that user's; the answer is no anyhow, because no user was found.
        self.0.all().iter().filter_map(|s| UserSecret::read(s)).map(|u| u.password_hash).next()
    }
}

/// Writes the hash of another password into a user's Secret.
pub(super) async fn set_password_hash(
    client: &Client,
    cache: &Cache<Secret>,
    namespace: &str,
    user: &UserSecret,
    hash: &str,
) -> Result<(), Fault> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let (name, uid) = &user.object;
    // With the uid: the Secret of another user under this name is not meant.
    let patch = json!({"metadata": {"uid": uid}, "data": {"password-hash": STANDARD.encode(hash)}});
    let written = api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await;
    let written = written.map_err(|e| refusal::write_fault("user", &e))?;
    cache.wait_for(&written).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    fn secret(pairs: &[(&str, &str)]) -> Secret {
        let data = pairs.iter().map(|(k, v)| ((*k).to_owned(), ByteString(v.as_bytes().to_vec()))).collect();
        Secret { data: Some(data), ..Default::default() }
    }

    #[test]
    fn groups_are_separated_by_commas() {
        let u = UserSecret::read(&secret(&[("name", "a\n"), ("password-hash", "h"), ("groups", "x, y,,")])).unwrap();
        assert_eq!(u.user().groups, ["x", "y", "system:authenticated"]);
        assert_eq!(u.name, "a");
    }

    #[test]
    fn a_secret_without_a_hash_is_no_user_and_debug_shows_no_hash() {
        assert_eq!(UserSecret::read(&secret(&[("name", "a")])), None);
        let u = UserSecret::read(&secret(&[("name", "a"), ("password-hash", "tellnobody")])).unwrap();
        assert!(!format!("{u:?}").contains("tellnobody"));
    }
}
