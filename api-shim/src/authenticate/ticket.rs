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
    /// The domain or the system, if scoped to one.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
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
    /// By an application credential. The token dies when the credential goes, and with its user's Secret.
    #[serde(rename = "c")]
    ApplicationCredential {
        /// [`super::application_credentials::ApplicationCredential::id`].
        #[serde(rename = "i")]
        id: String,
        /// [`super::application_credentials::ApplicationCredential::fingerprint`].
        #[serde(rename = "f")]
        fingerprint: String,
    },
}

/// A scope that is wider than a project. Only administrators get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// The only domain.
    #[serde(rename = "d")]
    Domain,
    /// All of it.
    #[serde(rename = "s")]
    System,
}

/// A fresh audit id in Keystone's form: 22 characters of URL-safe base64, begun with a letter so that it can be a key of
/// a Secret.
pub fn new_audit_id() -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let bytes: [u8; 15] = rand::rng().random();
    format!("au{}", URL_SAFE_NO_PAD.encode(bytes))
}
