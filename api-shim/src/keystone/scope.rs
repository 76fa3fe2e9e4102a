//! What a token is asked for. Pure.

use serde::Deserialize;
use serde_json::Value;

use super::{
    DOMAIN_ID, DOMAIN_NAME,
    wire::{DomainRef, ProjectRef},
};
use crate::{authenticate::ticket::Reach, fault::Fault};

/// What a token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Nothing was said: the user's default project, if there is one.
    Unsaid,
    /// No project.
    Unscoped,
    /// This project; id and name are the same.
    Project(String),
    /// The domain or the system.
    Wide(Reach),
}

/// Reads `auth.scope`.
pub fn read(scope: Option<&Value>) -> Result<Scope, Fault> {
    let map = match scope {
        None | Some(Value::Null) => return Ok(Scope::Unsaid),
        Some(Value::String(word)) if word == "unscoped" => return Ok(Scope::Unscoped),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(Fault::bad_request("scope must be \"unscoped\" or an object.")),
    };
    match map.iter().next() {
        Some((key, _)) if key == "unscoped" => Ok(Scope::Unscoped),
        Some((key, value)) if key == "project" && map.len() == 1 => {
            let project = ProjectRef::deserialize(value).map_err(|_| {
                Fault::bad_request("scope.project must be an object with an id, or a name and a domain.")
            })?;
            if !is_ours(project.domain.as_ref()) {
                return Err(Fault::unauthorized());
            }
            let name = project.id.or(project.name);
            name.map(Scope::Project).ok_or_else(|| Fault::bad_request("scope.project needs an id or a name."))
        }
        Some((key, value)) if key == "domain" && map.len() == 1 => {
            let domain = DomainRef::deserialize(value).ok().filter(|d| d.id.is_some() || d.name.is_some());
            let domain = domain.ok_or_else(|| Fault::bad_request("scope.domain needs an id or a name."))?;
            if is_ours(Some(&domain)) { Ok(Scope::Wide(Reach::Domain)) } else { Err(Fault::unauthorized()) }
        }
        Some((key, value)) if key == "system" && map.len() == 1 => match value.get("all") {
            Some(Value::Bool(true)) => Ok(Scope::Wide(Reach::System)),
            _ => Err(Fault::bad_request("scope.system must be {\"all\": true}.")),
        },
        Some((key, _)) if key == "OS-TRUST:trust" => Err(Fault::unauthorized()),
        _ => Err(Fault::bad_request("scope must name a project, or be \"unscoped\".")),
    }
}

/// Whether a reference means the only domain; none given means it too.
pub fn is_ours(domain: Option<&DomainRef>) -> bool {
    domain.is_none_or(|d| {
        d.id.as_deref().is_none_or(|i| i == DOMAIN_ID)
            && d.name.as_deref().is_none_or(|n| n.eq_ignore_ascii_case(DOMAIN_NAME))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_project_is_named_by_id_or_by_name_and_domain() {
        let by_id = json!({"project": {"id": "prod"}});
        let by_name = json!({"project": {"name": "prod", "domain": {"name": "default"}}});
        assert_eq!(read(Some(&by_id)), Ok(Scope::Project("prod".into())));
        assert_eq!(read(Some(&by_name)), Ok(Scope::Project("prod".into())));
        assert_eq!(read(None), Ok(Scope::Unsaid));
        assert_eq!(read(Some(&json!("unscoped"))), Ok(Scope::Unscoped));
        assert_eq!(read(Some(&json!({"unscoped": {}}))), Ok(Scope::Unscoped));
    }

    #[test]
    fn the_only_domain_and_the_system_are_scopes_too() {
        let wide = |scope: Value| read(Some(&scope));
        assert_eq!(wide(json!({"domain": {"name": "Default"}})), Ok(Scope::Wide(Reach::Domain)));
        assert_eq!(wide(json!({"system": {"all": true}})), Ok(Scope::Wide(Reach::System)));
        let status = |scope: Value| read(Some(&scope)).unwrap_err().status.as_u16();
        assert_eq!(status(json!({"domain": {"id": "other"}})), 401);
        assert_eq!(status(json!({"domain": {}})), 400);
        assert_eq!(status(json!({"system": {"all": false}})), 400);
        assert_eq!(status(json!({"project": {"id": "a"}, "domain": {"id": "default"}})), 400);
        let foreign = json!({"project": {"name": "prod", "domain": {"id": "other"}}});
        assert_eq!(read(Some(&foreign)).unwrap_err().status.as_u16(), 401);
    }

    proptest! {
        #[test]
        fn no_scope_breaks_the_reader(key in "[a-z]{0,8}", word in "\\PC{0,20}") {
            for value in [json!({&key: &word}), json!({&key: {"id": &word}}), json!([&word]), json!(&word)] {
                let _ = read(Some(&value));
            }
        }
    }
}
