//! Keystone v3: tokens, catalog, projects, users. One domain, `default`.

pub mod catalog;
pub mod projects;
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
