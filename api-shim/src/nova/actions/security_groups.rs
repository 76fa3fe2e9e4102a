//! `addSecurityGroup` and `removeSecurityGroup`. There is one group, `default`, which lets all through; whether a server
//! is in it is noted for those who ask, and changes nothing of its traffic.

use ostler_crds::Server;
use serde_json::Value;

use crate::{fault::Fault, nova::security_groups, store::names};

/// Whether the server is in the group `default`.
pub fn in_default(server: &Server) -> bool {
    let noted = server.metadata.annotations.as_ref().and_then(|a| a.get(names::SECURITY_GROUPS));
    noted.is_none_or(|groups| !groups.is_empty())
}

/// `addSecurityGroup`. Pure.
pub fn add(server: &mut Server, argument: &Value) -> Result<(), Fault> {
    named(server, argument, "addSecurityGroup")?;
    if let Some(annotations) = &mut server.metadata.annotations {
        annotations.remove(names::SECURITY_GROUPS);
    }
    Ok(())
}

/// `removeSecurityGroup`. Pure.
pub fn remove(server: &mut Server, argument: &Value) -> Result<(), Fault> {
    named(server, argument, "removeSecurityGroup")?;
    if !in_default(server) {
        return Err(Fault::not_found("Security group default is not associated with the instance."));
    }
    server.metadata.annotations.get_or_insert_default().insert(names::SECURITY_GROUPS.to_owned(), String::new());
    Ok(())
}

/// The one group, by name or id; 404 for another.
fn named(server: &Server, argument: &Value, action: &str) -> Result<(), Fault> {
    let name = argument.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err(Fault::invalid_field(&format!("{action}.name"), "It must be the name of a security group."));
    }
    let project = server.metadata.namespace.as_deref().unwrap_or_default();
    if name == "default" || name == security_groups::default_id(project) {
        return Ok(());
    }
    let name = crate::observe::clean(name);
    Err(Fault::not_found(format!("Security group {name} not found for project {project}.")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_server_leaves_the_default_group_and_comes_back() {
        let mut server = Server::new("a", Default::default());
        assert!(in_default(&server));
        remove(&mut server, &json!({"name": "default"})).unwrap();
        assert!(!in_default(&server));
        assert_eq!(remove(&mut server, &json!({"name": "default"})).unwrap_err().status.as_u16(), 404);
        add(&mut server, &json!({"name": "default"})).unwrap();
        assert!(in_default(&server));
        assert_eq!(add(&mut server, &json!({"name": "web"})).unwrap_err().status.as_u16(), 404);
        assert_eq!(add(&mut server, &json!({"name": 1})).unwrap_err().status.as_u16(), 400);
    }
}
