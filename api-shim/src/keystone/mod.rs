//! Keystone v3: tokens, catalog, projects, users, roles, application credentials. One domain, `default`.

pub mod administration;
pub mod application_credentials;
pub mod catalog;
pub mod domains;
pub mod grants;
pub mod projects;
pub mod prove;
pub mod registry;
pub mod roles;
pub mod scope;
pub mod tokens;
pub mod users;
pub mod versions;
pub mod view;
pub mod wire;

/// Id of the only domain.
pub const DOMAIN_ID: &str = "default";
/// Name of the only domain.
pub const DOMAIN_NAME: &str = "Default";
