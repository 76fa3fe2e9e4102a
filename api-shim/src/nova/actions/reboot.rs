//! `reboot` (spec C-18).

use http::StatusCode;
use kube::ResourceExt;
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
    authorize::{Permit, Rule},
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

/// Starts and stops Servers; a reboot of what is off, or about to be, is a start.
const POWER: Rule = Rule::sub("update", "servers", "power");

/// Asks the guest to restart, or does it.
pub async fn reboot(inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    let (type_, needs) = read(&argument)?;
    let action = ServerAction { id: Uuid::new_v4().to_string(), type_ };
    let (app, id) = (&inbound.app, inbound.param("id"));
    let known = servers::find(&app.client, &app.stores, &permit, id).await?;
    // Asked for in any case: the change may meet a newer version, which is off.
    let may_start = app.authorizer.may_also_on(&permit, POWER, &known.name_any()).await?;
    let change = |server: &mut Server| wish(server, &action, needs, may_start);
    servers::change(&app.client, &app.stores, &permit, id, change).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// Wishes for a restart. Pure.
fn wish(server: &mut Server, action: &ServerAction, needs: &Needs, may_start: bool) -> Result<(), Fault> {
    check(server, needs)?;
    if server.spec.power_state != PowerState::Running && !may_start {
        return Err(Fault::forbidden(format!(
            "Policy does not allow this operation: the server is off, and to start it needs permission to {POWER} in \
             project {}.",
            server.namespace().unwrap_or_default()
        )));
    }
    server.spec.action = Some(action.clone());
    // A hard reboot also starts what was off.
    server.spec.power_state = PowerState::Running;
    Ok(())
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
    fn a_hard_reboot_of_what_is_off_is_a_start() {
        let off: Server = serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Server", "metadata": {"name": "a", "namespace": "prod"},
            "spec": {"flavor": "small", "image": "x", "powerState": "Stopped"},
            "status": {"state": {"status": "SHUTOFF", "vmState": "stopped", "powerState": "Shutdown"}},
        }))
        .unwrap();
        let action = ServerAction { id: "1".into(), type_: ActionType::RebootHard };
        let (mut refused, mut started) = (off.clone(), off.clone());
        let fault = wish(&mut refused, &action, &HARD, false).unwrap_err();
        assert_eq!((fault.status.as_u16(), &refused.spec), (403, &off.spec));
        assert!(fault.message.contains("update servers/power in project prod"), "{}", fault.message);
        assert_eq!(wish(&mut started, &action, &HARD, true), Ok(()));
        assert_eq!(
            (started.spec.power_state, started.spec.action.clone()),
            (PowerState::Running, Some(action.clone()))
        );
        // What runs needs no more than the reboot itself.
        let mut running = off;
        running.spec.power_state = PowerState::Running;
        running.status = serde_json::from_value(json!({
            "state": {"status": "ACTIVE", "vmState": "active", "powerState": "Running"},
        }))
        .unwrap();
        assert_eq!(wish(&mut running, &action, &HARD, false), Ok(()));
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
