//! Users that have a Secret in the release namespace: label `compute.ostler.dev/user=true`, keys `name`,
//! `password-hash`, and optionally `groups` (commas between) and `default-project`.

use std::fmt;

use k8s_openapi::api::core::v1::Secret;
use sha2::{Digest, Sha256};

use super::caller::User;
use crate::store::Cache;

/// A user's Secret, read.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSecret {
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
        Some(Self {
            name: text("name")?,
            password_hash: text("password-hash")?,
            groups: groups.split(',').map(|g| g.trim().to_owned()).filter(|g| !g.is_empty()).collect(),
            default_project: text("default-project"),
        })
    }

    /// Changes when the password does; says nothing about it.
    pub fn fingerprint(&self) -> String {
        hex::encode(&Sha256::digest(self.password_hash.as_bytes())[..8])
    }

    /// The user.
    pub fn user(&self) -> User {
        let mut groups = self.groups.clone();
        groups.push("system:authenticated".to_owned());
        User { name: self.name.clone(), groups }
    }
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

    /// Some user's hash: what a login of an unknown user is measured against, so that it costs the same.
    pub fn any_hash(&self) -> Option<String> {
        // The password could be that user's; the answer is no anyhow, because no user was found.
        self.0.all().iter().filter_map(|s| UserSecret::read(s)).map(|u| u.password_hash).next()
    }
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
