//! Standing wishes: start, stop, pause, suspend, shelve and their opposites; rescue's end; the resize's end. Each is a pure
//! change of the Server.

use ostler_crds::{Server, server::PowerState};
use serde::Deserialize;
use serde_json::Value;

use super::body;
use crate::fault::Fault;

/// `os-start`, `unpause`, `resume`.
pub fn start(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    server.spec.power_state = PowerState::Running;
    Ok(())
}

/// `os-stop`.
pub fn stop(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    server.spec.power_state = PowerState::Stopped;
    Ok(())
}

/// `pause`.
pub fn pause(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    server.spec.power_state = PowerState::Paused;
    Ok(())
}

/// `suspend`.
pub fn suspend(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    server.spec.power_state = PowerState::Suspended;
    Ok(())
}

/// `shelve`; `shelveOffload` changes nothing, because what is shelved leaves its host by itself.
pub fn shelve(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    server.spec.power_state = PowerState::Shelved;
    Ok(())
}

#[derive(Deserialize)]
struct Unshelve {
    #[serde(default)]
    availability_zone: Option<String>,
    #[serde(default)]
    host: Option<String>,
}

/// `unshelve`: placed anew; from 2.77 on perhaps in another zone.
pub fn unshelve(server: &mut Server, argument: &Value) -> Result<(), Fault> {
    let ask: Unshelve = body::read(argument.clone(), "unshelve")?;
    if ask.host.is_some() {
        return Err(Fault::not_served("Naming a host in unshelve"));
    }
    if let Some(zone) = ask.availability_zone {
        server.spec.availability_zone = Some(zone);
    }
    server.spec.power_state = PowerState::Running;
    Ok(())
}

/// `unrescue`.
pub fn unrescue(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    server.spec.rescue = None;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_wish_is_its_power_state() {
        let mut server = Server::new("a", Default::default());
        for (edit, wanted) in [
            (stop as super::super::run::Edit, PowerState::Stopped),
            (start, PowerState::Running),
            (pause, PowerState::Paused),
            (suspend, PowerState::Suspended),
            (shelve, PowerState::Shelved),
            (unshelve, PowerState::Running),
        ] {
            edit(&mut server, &Value::Null).unwrap();
            assert_eq!(server.spec.power_state, wanted);
        }
        unshelve(&mut server, &json!({"availability_zone": "b"})).unwrap();
        assert_eq!(server.spec.availability_zone.as_deref(), Some("b"));
        assert_eq!(unshelve(&mut server, &json!({"host": "h"})).unwrap_err().status.as_u16(), 501);
    }
}
