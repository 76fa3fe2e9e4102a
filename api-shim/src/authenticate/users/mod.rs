//! Users that have a Secret in the release namespace: label `compute.ostler.dev/user=true`, keys `name`,
//! `password-hash`, and optionally `groups` (commas between), `default-project`, `enabled` (`false`: may not come in) and
//! `attributes` (a JSON object of what Keystone shows besides).
//!
//! Users that an administrator makes through Keystone are Kubernetes users of the name `keystone:NAME`, so that nobody
//! makes himself one that Roles are bound to for other reasons. Keystone calls them NAME.

pub mod write;

use std::fmt;

use k8s_openapi::api::core::v1::Secret;
use ostler_crds::names::KEYSTONE_LABEL;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::caller::User;
use crate::store::Cache;

/// What stands before the Kubernetes name of a user that Keystone made.
pub const PREFIX: &str = "keystone:";

/// What Keystone calls the user with this Kubernetes name.
pub fn login(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

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
    /// Whether the user may come in.
    pub enabled: bool,
    /// What Keystone shows besides: `email`, `description`, ….
    pub attributes: Map<String, Value>,
    /// Whether Keystone made it, and not the chart or somebody by hand.
    pub made_here: bool,
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
            enabled: text("enabled").as_deref() != Some("false"),
            attributes: text("attributes").and_then(|a| serde_json::from_str(&a).ok()).unwrap_or_default(),
            made_here: meta.labels.as_ref().and_then(|l| l.get(KEYSTONE_LABEL)).map(String::as_str) == Some("true"),
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

    /// The user whom Keystone calls so; a Kubernetes user of this very name comes first.
    pub fn find_by_login(&self, name: &str) -> Option<UserSecret> {
        self.find(name).or_else(|| self.find(&format!("{PREFIX}{name}")))
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
    fn a_user_that_keystone_made_is_shown_by_the_name_that_was_given() {
        assert_eq!((login("keystone:ada"), login("ada"), login("system:node:a")), ("ada", "ada", "system:node:a"));
        let u = UserSecret::read(&secret(&[
            ("name", "keystone:ada"),
            ("password-hash", "h"),
            ("enabled", "false"),
            ("attributes", r#"{"email": "a@b"}"#),
        ]));
        let u = u.unwrap();
        assert!(!u.enabled && !u.made_here && u.attributes["email"] == "a@b");
    }

    #[test]
    fn a_secret_without_a_hash_is_no_user_and_debug_shows_no_hash() {
        assert_eq!(UserSecret::read(&secret(&[("name", "a")])), None);
        let u = UserSecret::read(&secret(&[("name", "a"), ("password-hash", "tellnobody")])).unwrap();
        assert!(!format!("{u:?}").contains("tellnobody"));
    }
}
