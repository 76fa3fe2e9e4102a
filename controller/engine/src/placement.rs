//! The manager's part of a Server's status: what is written when it is bound, and when it cannot be.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Host, Server, ServerStatus,
    names::{condition, reason},
    server::{
        Fault, ServerAddress,
        state::{ObservedPower, ServerState, TaskState, VmState},
    },
};

use crate::resolve::{Refusal, Resolved};

/// The fields and conditions of a bound Server's status that the manager writes. What it leaves out of a write it gives up,
/// so each of its writes has all of them.
pub fn manager_part(status: &ServerStatus) -> ServerStatus {
    let ours =
        |c: &&Condition| [condition::SCHEDULED, condition::CHANGE_REFUSED, condition::SHELVED].contains(&&*c.type_);
    ServerStatus {
        host: status.host.clone(),
        host_generation: status.host_generation,
        addresses: status.addresses.clone(),
        flavor: status.flavor.clone(),
        resize: status.resize.clone(),
        shelf: status.shelf.clone(),
        snapshots: status.snapshots.clone(),
        image: status.image.clone(),
        rescue_image: status.rescue_image.clone(),
        key: status.key.clone(),
        conditions: status.conditions.iter().filter(ours).cloned().collect(),
        ..ServerStatus::default()
    }
}

/// What binds a Server: everything that its host needs, in one write.
pub fn bound(
    server: &Server,
    resolved: Resolved,
    host: &Host,
    addresses: Vec<ServerAddress>,
    now: Timestamp,
) -> ServerStatus {
    let name = host.metadata.name.as_deref().unwrap_or_default();
    let scheduled = ConditionBuilder {
        type_: condition::SCHEDULED,
        status: ConditionStatus::True,
        reason: reason::BOUND,
        message: format!("placed on Host {name}"),
    };
    let ready = ConditionBuilder {
        type_: condition::READY,
        status: ConditionStatus::False,
        reason: reason::IN_PROGRESS,
        message: format!("Host {name} is preparing the guest"),
    };
    ServerStatus {
        observed_generation: server.metadata.generation,
        state: Some(ServerState::new(VmState::Building, Some(TaskState::Spawning), ObservedPower::NoState)),
        host: Some(name.to_owned()),
        host_generation: host.metadata.generation,
        addresses,
        flavor: Some(resolved.flavor),
        image: Some(resolved.image),
        key: resolved.key,
        conditions: conditions(server, vec![ready, scheduled], now),
        ..Default::default()
    }
}

/// What binds a shelved Server that comes back: a host, with all that it had before. The state stays its last host's word
/// until the new one speaks. What is said of Ready cannot be left out: a part of it is the last host's.
pub fn returned(server: &Server, host: &Host, now: Timestamp) -> ServerStatus {
    let name = host.metadata.name.as_deref().unwrap_or_default();
    let mut next = manager_part(&server.status.clone().unwrap_or_default());
    (next.host, next.host_generation) = (Some(name.to_owned()), host.metadata.generation);
    let make = |type_, status, reason, message: String| ConditionBuilder { type_, status, reason, message };
    let preparing = format!("Host {name} is making the guest from its image");
    let list = vec![
        make(condition::READY, ConditionStatus::False, reason::IN_PROGRESS, preparing),
        make(condition::SCHEDULED, ConditionStatus::True, reason::BOUND, format!("placed on Host {name}")),
    ];
    next.conditions = conditions(server, list, now);
    next
}

/// What is written of a shelved Server that was to come back, could not, and is to stay shelved after all; `None` if
/// nothing is.
pub fn stays_shelved(server: &Server, now: Timestamp) -> Option<ServerStatus> {
    let status = server.status.clone().unwrap_or_default();
    ostler_crds::find_condition(&status.conditions, condition::SCHEDULED)?;
    let ready = ConditionBuilder {
        type_: condition::READY,
        status: ConditionStatus::True,
        reason: reason::AS_WISHED,
        message: "nothing of the guest is on a host; it is kept as an image".to_owned(),
    };
    Some(ServerStatus { conditions: conditions(server, vec![ready], now), ..manager_part(&status) })
}

/// What is written while a shelved Server cannot come back; `None` if its status says so already. It stays shelved and
/// keeps what it has.
pub fn not_returned(server: &Server, refusal: &Refusal, now: Timestamp) -> Option<ServerStatus> {
    let make =
        |type_, status| ConditionBuilder { type_, status, reason: refusal.reason, message: refusal.message.clone() };
    let list = vec![
        make(condition::READY, ConditionStatus::False),
        make(condition::SCHEDULED, ConditionStatus::False),
        make(condition::RECONCILING, ConditionStatus::True),
    ];
    let status = server.status.clone().unwrap_or_default();
    let conditions = conditions(server, list, now);
    let known = |c: &Condition| status.conditions.contains(c);
    if conditions.iter().all(known) {
        return None;
    }
    Some(ServerStatus { conditions, ..manager_part(&status) })
}

/// What is written while a Server cannot be placed. A refusal that passes by itself shows BUILD, any other ERROR with a
/// fault, so that an OpenStack client that waits is told; it is tried again all the same.
pub fn refused(server: &Server, refusal: &Refusal, now: Timestamp) -> ServerStatus {
    let make =
        |type_, status| ConditionBuilder { type_, status, reason: refusal.reason, message: refusal.message.clone() };
    let mut list =
        vec![make(condition::READY, ConditionStatus::False), make(condition::SCHEDULED, ConditionStatus::False)];
    list.push(if refusal.passing {
        make(condition::RECONCILING, ConditionStatus::True)
    } else {
        make(condition::STALLED, ConditionStatus::True)
    });
    let (vm_state, task, fault) = if refusal.passing {
        (VmState::Building, Some(TaskState::Scheduling), None)
    } else {
        let code = if refusal.reason == reason::NO_HOST_FITS { 500 } else { 400 };
        (VmState::Error, None, Some(fault(server, code, &refusal.message, now)))
    };
    ServerStatus {
        observed_generation: server.metadata.generation,
        state: Some(ServerState::new(vm_state, task, ObservedPower::NoState)),
        fault,
        conditions: conditions(server, list, now),
        ..Default::default()
    }
}

/// Whether the Server's status says already what would be written.
pub fn says_already(server: &Server, wanted: &ServerStatus) -> bool {
    let Some(found) = &server.status else { return false };
    found.observed_generation == wanted.observed_generation
        && found.state == wanted.state
        && found.fault == wanted.fault
        && found.conditions == wanted.conditions
        && found.host == wanted.host
}

/// The fault as it was noticed first.
fn fault(server: &Server, code: u16, message: &str, now: Timestamp) -> Fault {
    match server.status.as_ref().and_then(|s| s.fault.as_ref()) {
        Some(old) if old.code == code && old.message == message => old.clone(),
        Some(_) | None => Fault::new(code, message, now),
    }
}

fn conditions(server: &Server, list: Vec<ConditionBuilder>, now: Timestamp) -> Vec<Condition> {
    let previous = server.status.as_ref().map_or(&[][..], |s| &s.conditions);
    let generation = server.metadata.generation.unwrap_or_default();
    list.into_iter().map(|c| c.build(generation, previous, now)).collect()
}

#[cfg(test)]
mod tests {
    use ostler_crds::ServerSpec;

    use super::*;

    fn refusal(passing: bool) -> Refusal {
        Refusal { reason: reason::NO_HOST_FITS, message: "0 of 1 Hosts fit".into(), passing }
    }

    #[test]
    fn a_refusal_is_written_once() {
        let mut server = Server::new("a", ServerSpec::default());
        server.metadata.generation = Some(1);
        let first = refused(&server, &refusal(false), Timestamp::from_second(10).unwrap());
        assert!(!says_already(&server, &first));
        assert_eq!(first.state.as_ref().unwrap().status, "ERROR");
        server.status = Some(first);
        let again = refused(&server, &refusal(false), Timestamp::from_second(99).unwrap());
        assert!(says_already(&server, &again));
    }

    #[test]
    fn a_refusal_that_passes_shows_building_and_no_fault() {
        let server = Server::new("a", ServerSpec::default());
        let status = refused(&server, &refusal(true), Timestamp::UNIX_EPOCH);
        assert_eq!(status.state.unwrap().status, "BUILD");
        assert!(status.fault.is_none());
    }
}
