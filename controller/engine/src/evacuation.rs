//! Evacuation: a Server leaves a Host that is proven dead, and is made anew elsewhere from its image. What its disk held
//! is lost, so it is done for a Server that asks for it (action Evacuate), and only when two things agree: the Host is
//! silent, and an administrator (or a fencer) has stated with `spec.fenced` that the machine is off.
//!
//! ```text
//!   Host      heard ──► silent ──► silent + fenced ─────────────► fenced, heard again: it runs no guest
//!   Server    ACTIVE    UNKNOWN    action Evacuate: bound anew      └─► fence lifted: removes the guests that moved
//! ```
//!
//! tests/never-twice visits every state of this protocol.

use jiff::Timestamp;
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Host, Server, ServerStatus,
    names::{condition, reason},
    server::{
        ActionType, FailedSnapshot, Shelf, SnapshotOrder,
        state::{ObservedPower, ServerState, TaskState, VmState},
    },
};

use ostler_hypervisor::{HypervisorStep, Step};

use crate::{placement::manager_part, schedule::Request};

/// The Host that a Server asks to be evacuated from.
pub fn asked(server: &Server) -> Option<&str> {
    let status = server.status.as_ref()?;
    let open = server.open_action(status).is_some_and(|a| a.type_ == ActionType::Evacuate);
    let leaving = server.metadata.deletion_timestamp.is_some();
    status.host.as_deref().filter(|_| open && !leaving)
}

/// Whether the guest of a Server is proven dead with its Host. Neither silence nor a statement alone is proof. What is known
/// of the Host may be old: a guest that was started after the fence says so in its Server (`status.hostGeneration`), and
/// the binding that follows from this is written on condition of the very version of the Server that was looked at.
pub fn is_dead(server: &Server, host: &Host, heard: bool) -> bool {
    let started_under = server.status.as_ref().and_then(|s| s.host_generation).unwrap_or_default();
    host.spec.fenced && !heard && started_under < host.metadata.generation.unwrap_or_default()
}

/// Whether the node role must say in the Server that it is about to start the guest, before it does.
pub fn must_claim(status: &ServerStatus, host_generation: i64, steps: &[Step]) -> bool {
    let starts = steps.iter().any(|step| matches!(step, Step::Hypervisor(HypervisorStep::Start(_))));
    starts && status.host_generation != Some(host_generation)
}

/// What a Server needs of the Host that it goes to.
pub fn request(server: &Server) -> Request {
    Request {
        resources: server.status.as_ref().map(ServerStatus::footprint).unwrap_or_default(),
        zone: server.spec.availability_zone.clone(),
        node_selector: server.spec.node_selector.clone().unwrap_or_default(),
        // Laid over it by who knows where the others are.
        ..Request::default()
    }
}

/// What binds a Server to another Host: the manager's whole part of the status, so that nothing of it gets lost.
pub fn moved(server: &Server, to: &Host, now: Timestamp) -> ServerStatus {
    let name = to.metadata.name.as_deref().unwrap_or_default();
    let default = ServerStatus::default();
    let status = server.status.as_ref().unwrap_or(&default);
    let from = status.host.as_deref().unwrap_or_default();
    let generation = server.metadata.generation.unwrap_or_default();
    let scheduled = ConditionBuilder {
        type_: condition::SCHEDULED,
        status: ConditionStatus::True,
        reason: reason::BOUND,
        message: format!("evacuated from Host {from}, placed on Host {name}"),
    };
    let ready = ConditionBuilder {
        type_: condition::READY,
        status: ConditionStatus::False,
        reason: reason::IN_PROGRESS,
        message: format!("Host {name} is making the guest anew from its image"),
    };
    // Half-way off its host or back, the guest is in its image: it is made from that, and stays shelved until its new host
    // says otherwise, so that the image is kept until then. A resize went with the old disk.
    let shelf = status.shelf.clone().map(|shelf| Shelf { host: None, ..shelf });
    let (vm, task) = match shelf {
        Some(_) => (VmState::ShelvedOffloaded, TaskState::Spawning),
        None => (VmState::Active, TaskState::Rebuilding),
    };
    // The disk that these images were to be made of is gone; they must not be made of the new one.
    let lost = |order: &SnapshotOrder| FailedSnapshot {
        uid: order.uid.clone(),
        reason: reason::HYPERVISOR_UNREACHABLE.to_owned(),
        message: format!("Host {from} died before the image of the Server was whole; the Server was evacuated"),
    };
    ServerStatus {
        observed_generation: Some(generation),
        state: Some(ServerState::new(vm, Some(task), ObservedPower::NoState)),
        host: Some(name.to_owned()),
        host_generation: to.metadata.generation,
        shelf,
        resize: None,
        failed_snapshots: status.snapshots.iter().map(lost).collect(),
        snapshots: Vec::new(),
        conditions: [ready, scheduled].into_iter().map(|c| c.build(generation, &status.conditions, now)).collect(),
        ..manager_part(status)
    }
}

#[cfg(test)]
mod tests {
    use ostler_crds::{
        HostSpec, ServerSpec,
        image::DiskFormat,
        server::{LastAction, ResolvedImage, ServerAction},
    };
    use rstest::rstest;

    use super::*;

    fn server(action: Option<ActionType>) -> Server {
        let action = action.map(|type_| ServerAction { id: "1".into(), type_ });
        let mut server = Server::new("a", ServerSpec { action, ..Default::default() });
        server.status = Some(ServerStatus { host: Some("h".into()), ..Default::default() });
        server
    }

    #[rstest]
    #[case(false, false, 1, false)]
    #[case(true, true, 1, false)]
    #[case(false, true, 1, false)]
    #[case(true, false, 1, true)]
    #[case(true, false, 2, false)]
    #[case(true, false, 3, false)]
    fn only_what_was_started_before_the_fence_of_a_silent_host_is_dead(
        #[case] fenced: bool,
        #[case] heard: bool,
        #[case] started_under: i64,
        #[case] dead: bool,
    ) {
        let mut host = Host::new("h", HostSpec { fenced, ..Default::default() });
        host.metadata.generation = Some(2);
        let mut server = server(None);
        server.status.as_mut().unwrap().host_generation = Some(started_under);
        assert_eq!(is_dead(&server, &host, heard), dead);
    }

    #[test]
    fn a_server_leaves_once_an_action() {
        assert_eq!(asked(&server(None)), None);
        assert_eq!(asked(&server(Some(ActionType::RebootHard))), None);
        let mut server = server(Some(ActionType::Evacuate));
        assert_eq!(asked(&server), Some("h"));
        let done = LastAction { id: "1".into(), type_: ActionType::Evacuate, succeeded: true, message: None };
        server.status.as_mut().unwrap().last_action = Some(done);
        assert_eq!(asked(&server), None);
    }

    #[test]
    fn a_server_keeps_its_addresses_when_it_moves() {
        let mut server = server(Some(ActionType::Evacuate));
        let status = server.status.as_mut().unwrap();
        status.addresses = vec![ostler_crds::server::ServerAddress {
            network: "lan".into(),
            label: "lan".into(),
            mac: "52:54:00:00:00:01".into(),
            address: "10.0.0.2".into(),
            prefix_length: 24,
            gateway: None,
            dns_servers: vec![],
            mtu: None,
        }];
        let addresses = status.addresses.clone();
        let moved = moved(&server, &Host::new("h2", HostSpec::default()), Timestamp::UNIX_EPOCH);
        assert_eq!((moved.host.as_deref(), moved.addresses), (Some("h2"), addresses));
        assert_eq!(moved.state.unwrap().status, "REBUILD");
    }

    #[test]
    fn a_shelved_server_keeps_its_image_until_its_new_host_speaks() {
        let mut server = server(Some(ActionType::Evacuate));
        let status = server.status.as_mut().unwrap();
        let image = ResolvedImage {
            namespace: "ns".into(),
            name: "a-shelved".into(),
            id: "i".into(),
            sha256: "ab".repeat(32),
            disk_format: DiskFormat::Qcow2,
            size: 1,
            virtual_size: 1,
            url: None,
        };
        status.shelf = Some(Shelf { image, host: Some("h".into()) });
        status.state = Some(ServerState::new(VmState::ShelvedOffloaded, None, ObservedPower::NoState));
        let moved = moved(&server, &Host::new("h2", HostSpec::default()), Timestamp::UNIX_EPOCH);
        assert_eq!(moved.shelf.as_ref().map(|s| s.host.clone()), Some(None));
        server.status = Some(moved);
        assert_eq!(crate::shelve::next(&server, None), crate::shelve::Next::Nothing);
    }

    #[test]
    fn images_that_were_ordered_of_the_lost_disk_are_lost() {
        let mut server = server(Some(ActionType::Evacuate));
        let order = SnapshotOrder { image: "nightly".into(), uid: "u".into() };
        server.status.as_mut().unwrap().snapshots = vec![order];
        let moved = moved(&server, &Host::new("h2", HostSpec::default()), Timestamp::UNIX_EPOCH);
        assert_eq!(moved.snapshots, vec![]);
        assert_eq!(moved.failed_snapshots.iter().map(|f| f.uid.as_str()).collect::<Vec<_>>(), ["u"]);
    }
}
