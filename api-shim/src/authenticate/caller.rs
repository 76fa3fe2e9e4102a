//! A user, and a user with the scope of a token.

use std::sync::Arc;

use uuid::Uuid;

use super::ticket::{Reach, Ticket};
use crate::authorize::Ceiling;

/// Namespace of the version-5 UUIDs that user ids are.
const USER_SPACE: Uuid = Uuid::from_u128(0x6f73_746c_6572_4f53_8000_7573_6572_6964);

/// A user as Kubernetes knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Kubernetes user name.
    pub name: String,
    /// Kubernetes groups, without `system:authenticated` unless the API server said so.
    pub groups: Vec<String>,
    /// What an application credential leaves of the user's permissions; `None`: all.
    pub ceiling: Option<Ceiling>,
}

impl User {
    /// The OpenStack id: derived from the name, so that it needs no storage and fits into a path.
    pub fn id(&self) -> String {
        user_id(&self.name)
    }
}

/// The OpenStack id of the user with this Kubernetes name: 32 hexadecimal digits.
pub fn user_id(name: &str) -> String {
    Uuid::new_v5(&USER_SPACE, name.as_bytes()).simple().to_string()
}

/// Who is calling, and for which project.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: User,
    /// The project that the token is scoped to: a namespace.
    pub project: Option<String>,
    /// What the token says.
    pub ticket: Arc<Ticket>,
}

impl Caller {
    /// The domain or the system, if the token is scoped to one.
    pub fn reach(&self) -> Option<Reach> {
        self.ticket.reach
    }
}

#[cfg(test)]
mod tests {
    use super::user_id;

    #[test]
    fn a_user_id_is_stable_and_fits_into_a_path() {
        assert_eq!(user_id("alice"), user_id("alice"));
        assert_ne!(user_id("alice"), user_id("bob"));
        let id = user_id("system:serviceaccount:prod:ci");
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    }
}
