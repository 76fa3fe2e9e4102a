//! What an application credential leaves of its user's permissions. It only ever takes away: the API server is asked about
//! the user all the same.

use serde::{Deserialize, Serialize};

use super::{
    roles::Role,
    rule::{Rule, Scope},
};

/// The highest role that was given. Who was given `admin` has no ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ceiling {
    /// Nothing that reaches beyond the project.
    Member,
    /// And there only what changes nothing.
    Reader,
}

impl Ceiling {
    /// The ceiling of these roles.
    pub fn of(roles: &[Role]) -> Option<Self> {
        if roles.contains(&Role::Admin) {
            None
        } else if roles.contains(&Role::Member) {
            Some(Self::Member)
        } else {
            Some(Self::Reader)
        }
    }

    /// Whether it leaves what a rule says.
    pub fn allows(self, rule: Rule) -> bool {
        let reads = matches!(rule.verb, "get" | "list" | "watch");
        rule.scope == Scope::Project && (self == Self::Member || reads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::rule::common;

    #[test]
    fn a_reader_changes_nothing_and_a_member_stays_in_the_project() {
        for (rule, member, reader) in [
            (common::READER, true, true),
            (common::MEMBER, true, false),
            (Rule::sub("update", "servers", "reboot"), true, false),
            (common::ADMIN, false, false),
            (common::ALL_PROJECTS, false, false),
        ] {
            assert_eq!((Ceiling::Member.allows(rule), Ceiling::Reader.allows(rule)), (member, reader), "{rule}");
        }
    }

    #[test]
    fn the_highest_role_counts() {
        assert_eq!(Ceiling::of(&[Role::Reader, Role::Member]), Some(Ceiling::Member));
        assert_eq!(Ceiling::of(&[Role::Reader]), Some(Ceiling::Reader));
        assert_eq!(Ceiling::of(&[]), Some(Ceiling::Reader));
        assert_eq!(Ceiling::of(&[Role::Member, Role::Admin]), None);
    }
}
