//! `os-resetState`: an administrator says that a server is well, or is not. Pure.

use ostler_crds::{
    Server,
    server::{ActionType, ServerAction},
};
use serde_json::Value;
use uuid::Uuid;

use crate::fault::Fault;

/// Asks for the state `active` or `error`.
pub fn reset_state(server: &mut Server, argument: &Value) -> Result<(), Fault> {
    let type_ = match argument.get("state").and_then(Value::as_str) {
        Some("active") => ActionType::ResetToActive,
        Some("error") => ActionType::ResetToError,
        _ => return Err(Fault::invalid_field("os-resetState.state", "It must be 'active' or 'error'.")),
    };
    server.spec.action = Some(ServerAction { id: Uuid::new_v4().to_string(), type_ });
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_state_is_active_or_error() {
        let mut server = Server::new("a", Default::default());
        reset_state(&mut server, &json!({"state": "error"})).unwrap();
        assert_eq!(server.spec.action.as_ref().map(|a| a.type_), Some(ActionType::ResetToError));
        for bad in [json!({}), json!({"state": "ACTIVE"}), json!({"state": 1}), json!(null)] {
            assert_eq!(reset_state(&mut server, &bad).unwrap_err().status.as_u16(), 400, "{bad}");
        }
    }
}
