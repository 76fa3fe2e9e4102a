//! `POST /v3/auth/tokens` as it comes in.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// The inner object of the body.
#[derive(Debug, Deserialize)]
pub struct Auth {
    /// Who.
    pub identity: Identity,
    /// For what: a string (`unscoped`) or an object.
    #[serde(default)]
    pub scope: Option<Value>,
}

/// Who is asking.
#[derive(Debug, Deserialize)]
pub struct Identity {
    /// Exactly one: `password`, `token` or `application_credential`.
    pub methods: Vec<String>,
    /// For `password`.
    #[serde(default)]
    pub password: Option<PasswordMethod>,
    /// For `token`.
    #[serde(default)]
    pub token: Option<TokenMethod>,
    /// For `application_credential`.
    #[serde(default)]
    pub application_credential: Option<ApplicationCredentialMethod>,
}

/// Method `password`.
#[derive(Debug, Deserialize)]
pub struct PasswordMethod {
    /// The user.
    pub user: PasswordUser,
}

/// A user with a password.
#[derive(Deserialize)]
pub struct PasswordUser {
    /// Who.
    #[serde(flatten)]
    pub reference: UserRef,
    /// The password.
    pub password: String,
}

/// A user by id, or by name and domain.
#[derive(Debug, Deserialize)]
pub struct UserRef {
    /// Id.
    #[serde(default)]
    pub id: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Domain of the name.
    #[serde(default)]
    pub domain: Option<DomainRef>,
}

impl fmt::Debug for PasswordUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordUser").finish_non_exhaustive()
    }
}

/// Method `token`.
#[derive(Deserialize)]
pub struct TokenMethod {
    /// A token of ours, or a Kubernetes bearer token.
    pub id: String,
}

impl fmt::Debug for TokenMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMethod").finish_non_exhaustive()
    }
}

/// Method `application_credential`: by id, or by name and user.
#[derive(Deserialize)]
pub struct ApplicationCredentialMethod {
    /// Id.
    #[serde(default)]
    pub id: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// User of the name.
    #[serde(default)]
    pub user: Option<UserRef>,
    /// The secret.
    pub secret: String,
}

impl fmt::Debug for ApplicationCredentialMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationCredentialMethod").finish_non_exhaustive()
    }
}

/// A domain by id or name.
#[derive(Debug, Deserialize)]
pub struct DomainRef {
    /// Id.
    #[serde(default)]
    pub id: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
}

/// A project by id, or by name and domain.
#[derive(Debug, Deserialize)]
pub struct ProjectRef {
    /// Id.
    #[serde(default)]
    pub id: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Domain of the name.
    #[serde(default)]
    pub domain: Option<DomainRef>,
}
