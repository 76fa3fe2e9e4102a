//! What users are told, and how often it is written.

use ostler_crds::{
    find_condition,
    names::{condition, reason},
    server::state::VmState,
};
use ostler_hypervisor::{DomainState, Step, StorageStep};

use super::model::{World, at};
use crate::guest::{
    Failure, FailureKind, Settled, Verdict, identify, node_part, note, status::status, validate, wish::Wish,
};

#[test]
fn a_guest_costs_one_status_write_from_bound_to_ready() {
    let mut world = World::new();
    world.settle();
    world.settle();
    assert_eq!(world.writes, 1);
    insta::assert_yaml_snapshot!(node_part(world.server.status.as_ref().unwrap()));
}

#[test]
fn a_failure_is_written_once_however_often_it_is_tried_and_cleared_when_it_passes() {
    let mut world = World::new();
    let previous = world.server.status.clone().unwrap();
    let failed =
        |cause: &str| Verdict::Failed(Failure::new(FailureKind::HypervisorRefused, "cannot start the guest", cause));
    let first = status(&previous, 1, &failed("pid 17 died"), None, None, at(5));
    let again = status(&first, 1, &failed("pid 18 died"), None, None, at(9));
    assert_eq!(first, again);
    assert_eq!(first.fault.as_ref().unwrap().code, 500);
    assert_eq!(first.state.as_ref().unwrap().status, "ERROR");
    let ready = find_condition(&first.conditions, condition::READY).unwrap();
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", reason::HYPERVISOR_ERROR));
    assert!(find_condition(&first.conditions, condition::RECONCILING).is_some());
    let other = Verdict::Failed(Failure::new(FailureKind::DiskFull, "cannot make the root disk", "no space"));
    assert_ne!(status(&first, 1, &other, None, None, at(10)), first);
    world.settle();
    let end = world.server.status.unwrap();
    assert!(end.fault.is_none() && end.conditions.len() == 1);
}

#[test]
fn a_lost_hypervisor_leaves_the_state_as_it_was() {
    let mut world = World::new();
    world.settle();
    let previous = world.server.status.clone().unwrap();
    let away = Verdict::Failed(Failure::new(FailureKind::HypervisorUnreachable, "cannot see the guest", "no socket"));
    let next = status(&previous, 1, &away, None, None, at(50));
    assert_eq!(next.state, previous.state);
    assert!(next.fault.is_none());
    assert_eq!(find_condition(&next.conditions, condition::READY).unwrap().reason, reason::HYPERVISOR_UNREACHABLE);
}

#[test]
fn the_first_start_is_told_in_one_event_and_a_settled_pass_in_none() {
    let mut world = World::new();
    let validated = validate(identify(&world.server).unwrap(), &world.server, &world.networks).unwrap();
    let Wish::Present(guest) = validated.wish else { panic!("present") };
    let previous = world.server.status.clone().unwrap();
    world.settle();
    let next = world.server.status.clone().unwrap();
    let created = world.server.metadata.creation_timestamp.as_ref();
    let disk = next.disk.clone().unwrap();
    let settled =
        Verdict::Settled(Settled { vm: VmState::Active, disk: Some(disk), unresolved: None, set_to_error: false });
    let told = note(&guest, created, &world.done, &settled, &previous, &next, at(3)).unwrap();
    assert_eq!(
        told.text,
        "The guest was started 3.0 s after its creation: image tiny (fetched), root disk 1.0 GiB, 10.20.0.5"
    );
    assert_eq!(note(&guest, created, &[], &settled, &next, &next, at(9)), None);
}

#[test]
fn a_guest_that_keeps_stopping_is_told_once() {
    let mut world = World::new();
    world.settle();
    world.power(DomainState::Off);
    let _ = world.pass();
    let before = world.server.status.clone().unwrap();
    let ready = find_condition(&before.conditions, condition::READY).unwrap();
    assert_eq!(ready.reason, reason::GUEST_KEEPS_STOPPING);
    assert_eq!(world.word(), "SHUTOFF");
    let writes = world.writes;
    let _ = world.pass();
    assert_eq!(world.writes, writes);
}

#[test]
fn user_data_that_is_no_base64_is_refused_without_quoting_it() {
    let mut world = World::new();
    world.server.spec.user_data = Some(ostler_crds::server::UserData {
        base64: Some("secret!".into()),
        ..ostler_crds::server::UserData::default()
    });
    let failure = world.pass().unwrap_err();
    assert!(failure.message().contains("spec.userData.base64") && !failure.message().contains("secret"));
}

#[test]
fn the_config_drive_holds_what_nova_puts_there() {
    let mut world = World::new();
    let decision = world.pass().unwrap();
    let files = decision.steps.iter().find_map(|s| match s {
        Step::Storage(StorageStep::WriteConfigDrive { files, .. }) => Some(files.clone()),
        Step::Storage(_) | Step::Hypervisor(_) => None,
    });
    let text: Vec<String> =
        files.unwrap().iter().map(|(name, bytes)| format!("{name}: {}", String::from_utf8_lossy(bytes))).collect();
    insta::assert_snapshot!(text.join("\n"));
}

/// The newest `meta_data.json` that was written for the guest.
pub(super) fn meta_data(world: &World) -> Vec<u8> {
    let drives = world.done.iter().rev().filter_map(|s| match s {
        Step::Storage(StorageStep::WriteConfigDrive { files, .. }) => Some(files),
        Step::Storage(_) | Step::Hypervisor(_) => None,
    });
    drives.flatten().find(|(name, _)| name.ends_with("latest/meta_data.json")).unwrap().1.clone()
}
