//! `os-start` and `os-stop`.

use http::StatusCode;
use ostler_crds::{
    Server,
    server::{PowerState, state::VmState},
};
use serde_json::Value;

use super::state::{Needs, check};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::servers,
};

const START: Needs = Needs { action: "start", vm: &[VmState::Stopped], tasks: &[] };
const STOP: Needs = Needs { action: "stop", vm: &[VmState::Active, VmState::Error], tasks: &[] };

/// `os-start`.
pub async fn start(inbound: Inbound, permit: Permit, _argument: Value) -> Result<Reply, Fault> {
    wish(&inbound, &permit, &START, PowerState::Running).await
}

/// `os-stop`.
pub async fn stop(inbound: Inbound, permit: Permit, _argument: Value) -> Result<Reply, Fault> {
    wish(&inbound, &permit, &STOP, PowerState::Stopped).await
}

async fn wish(inbound: &Inbound, permit: &Permit, needs: &Needs, power: PowerState) -> Result<Reply, Fault> {
    let change = |server: &mut Server| {
        check(server, needs)?;
        server.spec.power_state = power;
        Ok(())
    };
    let app = &inbound.app;
    servers::change(&app.client, &app.stores, permit, inbound.param("id"), change).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

#[cfg(test)]
mod tests {
    use ostler_crds::server::{
        ServerStatus,
        state::{ObservedPower, ServerState},
    };

    use super::*;

    fn server(vm: VmState, wish: PowerState) -> Server {
        let mut server = Server::new("a", Default::default());
        server.spec.power_state = wish;
        let state = Some(ServerState::new(vm, None, ObservedPower::Running));
        server.status = Some(ServerStatus { state, ..Default::default() });
        server
    }

    #[test]
    fn a_running_server_cannot_be_started_nor_a_stopped_one_stopped() {
        assert!(check(&server(VmState::Stopped, PowerState::Stopped), &START).is_ok());
        assert!(check(&server(VmState::Active, PowerState::Running), &STOP).is_ok());
        let refused = check(&server(VmState::Active, PowerState::Running), &START).unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.message.contains("vm_state active")), (409, true));
        assert!(check(&server(VmState::Stopped, PowerState::Stopped), &STOP).is_err());
        assert!(check(&server(VmState::Building, PowerState::Running), &STOP).is_err());
    }

    #[test]
    fn a_server_that_is_stopping_takes_no_second_wish() {
        let stopping = server(VmState::Active, PowerState::Stopped);
        let refused = check(&stopping, &STOP).unwrap_err();
        assert!(refused.message.contains("task_state powering-off"));
    }
}
