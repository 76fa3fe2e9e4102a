//! Keystone's roles, read off RBAC: what clients see in a token. They decide nothing; each request is asked anew.

use super::{Authorizer, rule::common};
use crate::{authenticate::User, fault::Fault};

/// A Keystone role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May create Flavors.
    Admin,
    /// May create Servers in the project.
    Member,
    /// May list Servers in the project.
    Reader,
}

impl Role {
    /// All roles, the highest first.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Member, Self::Reader];

    /// The role with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == name)
    }

    /// Name, and id too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Reader => "reader",
        }
    }
}

/// The roles of `user` on the domain and on the system: all for an administrator, and none for others.
pub async fn wide(authorizer: &Authorizer, user: &User) -> Result<Vec<Role>, Fault> {
    let admin = authorizer.may(user, None, common::ADMIN).await?;
    Ok(if admin { Role::ALL.to_vec() } else { Vec::new() })
}

/// The roles of `user` in `project`; none means that the project is not theirs to see.
pub async fn roles(authorizer: &Authorizer, user: &User, project: &str) -> Result<Vec<Role>, Fault> {
    let (admin, member, reader) = tokio::try_join!(
        authorizer.may(user, None, common::ADMIN),
        authorizer.may(user, Some(project), common::MEMBER),
        authorizer.may(user, Some(project), common::READER),
    )?;
    Ok([(admin, Role::Admin), (member, Role::Member), (reader, Role::Reader)]
        .into_iter()
        .filter_map(|(has, role)| has.then_some(role))
        .collect())
}
