//! `reboot` (spec C-18).

use http::StatusCode;
use ostler_crds::{
    Server,
    server::{
        ActionType, PowerState, ServerAction,
        state::{TaskState, VmState},
    },
};
use serde_json::Value;
use uuid::Uuid;

use super::state::{Needs, check};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::servers,
};

const SOFT: Needs = Needs { action: "reboot", vm: &[VmState::Active], tasks: &[] };
const HARD: Needs = Needs {
    action: "reboot",
    vm: &[VmState::Active, VmState::Stopped, VmState::Error],
    tasks: &[TaskState::Rebooting, TaskState::PoweringOff],
};

/// Asks the guest to restart, or does it.
pub async fn reboot(inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    let (type_, needs) = read(&argument)?;
    let action = ServerAction { id: Uuid::new_v4().to_string(), type_ };
    let change = |server: &mut Server| {
        check(server, needs)?;
        server.spec.action = Some(action.clone());
        // A hard reboot also starts what was off.
        server.spec.power_state = PowerState::Running;
        Ok(())
    };
    let app = &inbound.app;
    servers::change(&app.client, &app.stores, &permit, inbound.param("id"), change).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

fn read(argument: &Value) -> Result<(ActionType, &'static Needs), Fault> {
    let only_type = argument.as_object().is_some_and(|m| m.len() == 1);
    let word = argument.get("type").and_then(Value::as_str).filter(|_| only_type).unwrap_or_default();
    match word.to_ascii_uppercase().as_str() {
        "SOFT" => Ok((ActionType::RebootSoft, &SOFT)),
        "HARD" => Ok((ActionType::RebootHard, &HARD)),
        _ => Err(Fault::invalid_field("reboot.type", "It must be SOFT or HARD.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_type_is_soft_or_hard_in_any_case() {
        assert_eq!(read(&json!({"type": "soft"})).map(|r| r.0), Ok(ActionType::RebootSoft));
        assert_eq!(read(&json!({"type": "HARD"})).map(|r| r.0), Ok(ActionType::RebootHard));
        for bad in [json!({}), json!(null), json!({"type": "warm"}), json!({"type": "SOFT", "x": 1})] {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hard_reboot_may_interrupt_a_soft_one_and_not_another_hard_one() {
        let mut server = Server::new("a", Default::default());
        server.status = Some(
            serde_json::from_value(json!({
                "state": {"status": "ACTIVE", "vmState": "active", "powerState": "Running"},
            }))
            .unwrap(),
        );
        server.spec.action = Some(ServerAction { id: "1".into(), type_: ActionType::RebootSoft });
        assert!(check(&server, &HARD).is_ok() && check(&server, &SOFT).is_err());
        server.spec.action = Some(ServerAction { id: "2".into(), type_: ActionType::RebootHard });
        assert!(check(&server, &HARD).is_err());
    }
}
