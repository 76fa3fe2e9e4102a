//! A group as it comes in. Pure.

use ostler_crds::{
    SecurityGroup, SecurityGroupSpec,
    security_group::{DEFAULT, Direction, EtherType, SecurityGroupRule},
};
use serde_json::{Map, Value, json};

use super::super::wire::{known, text};
use crate::{fault::Fault, store::slug};

type Body = Map<String, Value>;

/// What is asked of a group; what is absent is not changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GroupWish {
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
}

/// Reads a group of this project.
pub fn read(body: &Body, project: &str) -> Result<GroupWish, Fault> {
    let own = [json!(project)];
    let only: &[(&str, &[Value])] =
        &[("stateful", &[json!(true)]), ("tenant_id", &own), ("project_id", &own), ("shared", &[json!(false)])];
    known(body, &["name", "description"], only)?;
    Ok(GroupWish { name: text(body, "name")?, description: text(body, "description")? })
}

/// A new group: all may be opened by its servers, nothing to them.
pub fn new(wish: GroupWish) -> Result<SecurityGroup, Fault> {
    not_default(wish.name.as_deref())?;
    let base = match slug::slug(wish.name.as_deref().unwrap_or_default(), "group") {
        taken if taken == DEFAULT => "group".to_owned(),
        free => free,
    };
    let both = [EtherType::IPv4, EtherType::IPv6];
    let spec = SecurityGroupSpec {
        display_name: wish.name.filter(|n| !n.is_empty()),
        description: wish.description.filter(|d| !d.is_empty()),
        rules: both.map(|e| SecurityGroupRule::everything(Direction::Egress, e)).into(),
    };
    Ok(SecurityGroup::new(&base, spec))
}

/// There is one group `default`, and it is there already.
pub fn not_default(name: Option<&str>) -> Result<(), Fault> {
    if name == Some(DEFAULT) {
        return Err(Fault::conflict("Default security group already exists.").kind("SecurityGroupDefaultAlreadyExists"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(body: Value) -> Result<GroupWish, u16> {
        let Value::Object(body) = body else { unreachable!() };
        read(&body, "prod").map_err(|f| f.status.as_u16())
    }

    #[test]
    fn groups_are_read() {
        let wish = verdict(json!({"name": " a b ", "description": "", "tenant_id": "prod", "stateful": true})).unwrap();
        let group = new(wish).unwrap();
        assert_eq!((group.display_name(), group.metadata.name.as_deref()), (" a b ", Some("a-b")));
        assert_eq!(group.spec.rules.len(), 2);
        for (bad, status) in [
            (json!({"name": 1}), 400),
            (json!({"name": "x".repeat(256)}), 400),
            (json!({"colour": "red"}), 400),
            (json!({"name": "a", "stateful": false}), 501),
            (json!({"name": "a", "tenant_id": "other"}), 501),
        ] {
            assert_eq!(verdict(bad.clone()), Err(status), "{bad}");
        }
    }

    #[test]
    fn no_other_group_becomes_the_default_one() {
        let called = |name: &str| new(GroupWish { name: Some(name.into()), description: None });
        assert_eq!(called("default").unwrap_err().status.as_u16(), 409);
        assert_eq!(called("Default!").unwrap().metadata.name.as_deref(), Some("group"));
        assert_eq!(called("").unwrap().metadata.name.as_deref(), Some("group"));
    }
}
