//! What a token says, before it is sealed.

use rand::Rng;
use serde::{Deserialize, Serialize};

/// What a token says. Short names: tokens travel in headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Kubernetes user name.
    #[serde(rename = "u")]
    pub user: String,
    /// Groups, for users that have no Secret.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// How the user was proven.
    #[serde(rename = "o")]
    pub origin: Origin,
    /// The project, if scoped.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Keystone's methods.
    #[serde(rename = "m")]
    pub methods: Vec<String>,
    /// Names the token and those made from it, for revocation and logs.
    #[serde(rename = "a")]
    pub audit_id: String,
    /// Seconds since 1970.
    #[serde(rename = "i")]
    pub issued_at: i64,
    /// Seconds since 1970.
    #[serde(rename = "e")]
    pub expires_at: i64,
}

/// How a user was proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// By TokenReview.
    #[serde(rename = "k")]
    Kubernetes,
    /// By the password in a Secret. The token dies when the Secret goes or its password changes.
    #[serde(rename = "s")]
    Secret {
        /// [`super::users::UserSecret::fingerprint`].
        #[serde(rename = "f")]
        fingerprint: String,
    },
}

/// A fresh audit id in Keystone's form: 22 characters of URL-safe base64, begun with a letter so that it can be a key of
/// a Secret.
pub fn new_audit_id() -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let bytes: [u8; 15] = rand::rng().random();
    format!("au{}", URL_SAFE_NO_PAD.encode(bytes))
}
