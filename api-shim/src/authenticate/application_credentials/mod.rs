//! Application credentials: secrets that stand for a user in one project, perhaps with less than all of the user's roles.
//!
//! Each is a Secret of the release namespace with a type of its own, owned by the user's Secret, so that it goes with it.
//! What it keeps of its own secret is an argon2id hash. Pure; [`store`] reads and writes.

pub mod store;

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::users::fingerprint;
use crate::authorize::{Ceiling, roles::Role};

/// Type of the Secrets. No ServiceAccount's token is made for it.
pub const TYPE: &str = "compute.ostler.dev/application-credential";
/// What the names of the Secrets begin with; the id follows.
pub const PREFIX: &str = "ostler-application-credential-";
/// Most of one user.
pub const MOST: usize = 50;
/// Namespace of the version-5 UUIDs that ids are.
const SPACE: Uuid = Uuid::from_u128(0x6f73_746c_6572_4f53_8000_6170_7063_7265);

/// An application credential.
#[derive(Clone, PartialEq, Eq)]
pub struct ApplicationCredential {
    /// 32 hexadecimal digits, derived from user and name: a user has no two of one name.
    pub id: String,
    /// argon2id PHC string of the secret.
    pub secret_hash: String,
    /// The rest.
    pub terms: Terms,
}

/// What was agreed on when it was made; no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Name of the user.
    pub user: String,
    /// Its own name.
    pub name: String,
    /// Words of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The project.
    pub project: String,
    /// Names of the roles that were given.
    pub roles: Vec<String>,
    /// Whether it may be used to make and delete others.
    #[serde(default)]
    pub unrestricted: bool,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for ApplicationCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationCredential")
            .field("id", &self.id)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

/// The id of the credential of this user with this name.
pub fn id(user: &str, name: &str) -> String {
    // A user's name holds no NUL.
    Uuid::new_v5(&SPACE, format!("{user}\0{name}").as_bytes()).simple().to_string()
}

impl ApplicationCredential {
    /// Over terms and the hash of a secret.
    pub fn new(terms: Terms, secret_hash: String) -> Self {
        Self { id: id(&terms.user, &terms.name), secret_hash, terms }
    }

    /// Reads a Secret; `None` if it is none of these, or was made by somebody else under the name of another.
    pub fn read(secret: &Secret) -> Option<Self> {
        if secret.type_.as_deref() != Some(TYPE) {
            return None;
        }
        let data = secret.data.as_ref()?;
        let terms: Terms = serde_json::from_slice(&data.get("terms")?.0).ok()?;
        let hash = std::str::from_utf8(&data.get("secret-hash")?.0).ok()?.to_owned();
        let credential = Self::new(terms, hash);
        (secret.metadata.name.as_deref() == Some(&credential.object_name())).then_some(credential)
    }

    /// What its Secret holds.
    pub fn data(&self) -> Option<BTreeMap<String, ByteString>> {
        let terms = serde_json::to_vec(&self.terms).ok()?;
        let hash = self.secret_hash.clone().into_bytes();
        Some([("terms".to_owned(), ByteString(terms)), ("secret-hash".to_owned(), ByteString(hash))].into())
    }

    /// Name of its Secret.
    pub fn object_name(&self) -> String {
        format!("{PREFIX}{}", self.id)
    }

    /// Changes when the secret does; says nothing about it.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.secret_hash)
    }

    /// What it leaves of its user's permissions.
    pub fn ceiling(&self) -> Option<Ceiling> {
        let roles: Vec<Role> = self.terms.roles.iter().filter_map(|r| Role::named(r)).collect();
        Ceiling::of(&roles)
    }

    /// Whether it is good no more.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.terms.expires_at.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use kube::api::ObjectMeta;

    use super::*;

    fn credential(roles: &[&str]) -> ApplicationCredential {
        let terms = Terms {
            user: "ada".into(),
            name: "ci".into(),
            description: None,
            project: "prod".into(),
            roles: roles.iter().map(|r| (*r).to_owned()).collect(),
            unrestricted: false,
            expires_at: Some(Timestamp::from_second(100).unwrap()),
        };
        ApplicationCredential::new(terms, "tellnobody".into())
    }

    fn secret(credential: &ApplicationCredential, name: &str, type_: &str) -> Secret {
        Secret {
            metadata: ObjectMeta { name: Some(name.into()), ..Default::default() },
            type_: Some(type_.into()),
            data: credential.data(),
            ..Default::default()
        }
    }

    #[test]
    fn it_comes_back_from_its_secret_and_from_no_other() {
        let ci = credential(&["member"]);
        assert_eq!(ApplicationCredential::read(&secret(&ci, &ci.object_name(), TYPE)), Some(ci.clone()));
        assert_eq!(ApplicationCredential::read(&secret(&ci, &format!("{PREFIX}0"), TYPE)), None);
        assert_eq!(ApplicationCredential::read(&secret(&ci, &ci.object_name(), "Opaque")), None);
    }

    #[test]
    fn roles_that_nobody_knows_give_nothing() {
        assert_eq!(credential(&["member", "reader"]).ceiling(), Some(Ceiling::Member));
        assert_eq!(credential(&["owner"]).ceiling(), Some(Ceiling::Reader));
    }

    #[test]
    fn its_end_is_the_first_moment_at_which_it_is_good_no_more() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let ci = credential(&[]);
        assert!(!ci.has_expired(at(99)) && ci.has_expired(at(100)));
    }

    #[test]
    fn debug_shows_no_hash_and_names_of_users_do_not_run_together() {
        assert!(!format!("{:?}", credential(&[])).contains("tellnobody"));
        assert_ne!(id("a", "bc"), id("ab", "c"));
    }
}
