//! `reboot` (spec C-18).

use http::StatusCode;
use kube::ResourceExt;
use ostler_crds::{
    Server,
    server::{ActionType, PowerState, ServerAction},
};
use serde_json::Value;
use uuid::Uuid;

use super::{
    run,
    table::{REBOOT, REBOOT_HARD, Row},
};
use crate::{
    authorize::{Permit, Rule},
    fault::Fault,
    http::{Inbound, Reply},
};

/// Starts and stops Servers; a reboot of what is off, or about to be, is a start.
const POWER: Rule = Rule::sub("update", "servers", "power");

/// Asks the guest to restart, or does it.
pub async fn reboot(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let (type_, row) = read(&argument)?;
    let action = ServerAction { id: Uuid::new_v4().to_string(), type_ };
    let known = run::find(&inbound, &permit).await?;
    // Asked for in any case: the change may meet a newer version, which is off.
    let may_start = inbound.app.authorizer.may_also_on(&permit, POWER, &known.name_any()).await?;
    // A permission that is missing is told before a state that does not fit.
    wish(&mut (*known).clone(), &action, may_start)?;
    run::change(row, &inbound, &permit, |server| wish(server, &action, may_start)).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// Wishes for a restart. Pure.
fn wish(server: &mut Server, action: &ServerAction, may_start: bool) -> Result<(), Fault> {
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

fn read(argument: &Value) -> Result<(ActionType, &'static Row), Fault> {
    let word = argument.get("type").and_then(Value::as_str).unwrap_or_default();
    match word {
        "SOFT" | "Soft" | "soft" => Ok((ActionType::RebootSoft, &REBOOT)),
        "HARD" | "Hard" | "hard" => Ok((ActionType::RebootHard, &REBOOT_HARD)),
        _ => Err(Fault::invalid_field("reboot.type", "It must be SOFT or HARD.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::state::check;
    use super::*;

    #[test]
    fn the_type_is_soft_or_hard() {
        assert_eq!(read(&json!({"type": "soft"})).map(|r| r.0), Ok(ActionType::RebootSoft));
        assert_eq!(read(&json!({"type": "HARD"})).map(|r| r.0), Ok(ActionType::RebootHard));
        for bad in [json!({}), json!(null), json!({"type": "warm"})] {
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
        let fault = wish(&mut refused, &action, false).unwrap_err();
        assert_eq!((fault.status.as_u16(), &refused.spec), (403, &off.spec));
        assert!(fault.message.contains("update servers/power in project prod"), "{}", fault.message);
        assert_eq!(wish(&mut started, &action, true), Ok(()));
        assert_eq!(
            (started.spec.power_state, started.spec.action.clone()),
            (PowerState::Running, Some(action.clone()))
        );
        // What runs needs no more than the reboot itself.
        let mut running = off;
        running.spec.power_state = PowerState::Running;
        assert_eq!(wish(&mut running, &action, false), Ok(()));
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
        assert!(check(&server, &REBOOT_HARD).is_ok() && check(&server, &REBOOT).is_err());
        server.spec.action = Some(ServerAction { id: "2".into(), type_: ActionType::RebootHard });
        assert!(check(&server, &REBOOT_HARD).is_err());
    }
}
