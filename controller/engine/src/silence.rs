//! A Host that is not heard of: what is said of its Servers meanwhile. Their guests may well run on, so nothing else is
//! done about them: silence proves nothing.

use jiff::Timestamp;
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Server, ServerStatus, find_condition,
    names::{condition, reason},
    server::state::{ObservedPower, ServerState, VmState},
};

/// What is to be said of a Server whose Host is silent, by a field manager of its own; `None`: it is said already. The
/// node role says otherwise as soon as it is back.
pub fn unknown(server: &Server, host: &str, now: Timestamp) -> Option<ServerStatus> {
    let default = ServerStatus::default();
    let status = server.status.as_ref().unwrap_or(&default);
    let said = find_condition(&status.conditions, condition::READY).is_some_and(|c| c.reason == reason::HOST_SILENT);
    if said || status.host.as_deref() != Some(host) {
        return None;
    }
    let vm_state = status.state.as_ref().map_or(VmState::Building, |s| s.vm_state);
    let message = format!(
        "Host {host} is silent. Its guests keep running if the machine does. If it is dead, see to it that it stays off, \
         set spec.fenced of the Host, and evacuate the Server"
    );
    let ready = ConditionBuilder {
        type_: condition::READY,
        status: ConditionStatus::Unknown,
        reason: reason::HOST_SILENT,
        message,
    };
    let generation = status.observed_generation.unwrap_or_default();
    Some(ServerStatus {
        state: Some(ServerState::unknown(vm_state, ObservedPower::NoState)),
        conditions: vec![ready.build(generation, &status.conditions, now)],
        ..ServerStatus::default()
    })
}

#[cfg(test)]
mod tests {
    use ostler_crds::{ServerSpec, server::state::shown};

    use super::*;

    fn server() -> Server {
        let mut server = Server::new("a", ServerSpec::default());
        server.status = Some(ServerStatus {
            host: Some("h".into()),
            state: Some(ServerState::new(VmState::Active, None, ObservedPower::Running)),
            ..Default::default()
        });
        server
    }

    #[test]
    fn s16_a_server_of_a_silent_host_is_unknown_and_is_told_so_once() {
        let mut server = server();
        assert!(unknown(&server, "another", Timestamp::UNIX_EPOCH).is_none());
        let told = unknown(&server, "h", Timestamp::UNIX_EPOCH).unwrap();
        let status = server.status.as_mut().unwrap();
        (status.state, status.conditions) = (told.state, told.conditions);
        assert_eq!(status.conditions[0].status, "Unknown");
        assert_eq!(shown(&server).status, "UNKNOWN");
        assert!(unknown(&server, "h", Timestamp::UNIX_EPOCH).is_none());
    }

    #[test]
    fn what_is_said_names_nothing_that_the_manager_wrote_before() {
        let told = unknown(&server(), "h", Timestamp::UNIX_EPOCH).unwrap();
        assert!(told.host.is_none() && told.addresses.is_empty() && told.flavor.is_none());
    }
}
