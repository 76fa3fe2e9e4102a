//! Plans of the main cases, as snapshots.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::{
    find_condition,
    names::reason,
    server::{ActionType, PowerState, ServerAction},
};
use ostler_hypervisor::{DomainState, HypervisorStep, Step, StorageStep};

use super::model::World;
use crate::guest::{FailureKind, Folder, Goal};

/// A plan in one line a step, with the drive's files by name only.
fn plan(world: &mut World) -> String {
    let decision = world.pass().unwrap();
    let steps = decision.steps.iter().map(|s| match s {
        Step::Storage(StorageStep::WriteConfigDrive { files, .. }) => {
            format!("WriteConfigDrive {:?}", files.iter().map(|(name, _)| name).collect::<Vec<_>>())
        }
        Step::Storage(s) => format!("{s:?}"),
        Step::Hypervisor(HypervisorStep::Define(d)) => format!("Define {:#?}", d),
        Step::Hypervisor(s) => format!("{s:?}"),
    });
    let lines: Vec<String> = steps.chain([format!("=> {:?}, again {:?}", decision.goal, decision.requeue)]).collect();
    lines.join("\n")
}

fn running() -> World {
    let mut world = World::new();
    world.settle();
    assert_eq!(world.word(), "ACTIVE");
    world
}

#[test]
fn a_new_guest_is_prepared_defined_and_started() {
    insta::assert_snapshot!(plan(&mut World::new()));
}

#[test]
fn a_new_guest_whose_image_is_cached_is_not_fetched_again() {
    let mut world = World::new();
    world.observed.files.cached.insert("ab".repeat(32));
    assert!(!plan(&mut world).contains("FetchImage"));
}

#[test]
fn a_guest_that_is_created_stopped_is_defined_and_not_started() {
    let mut world = World::new();
    world.server.spec.power_state = PowerState::Stopped;
    let plan = plan(&mut world);
    assert!(plan.contains("Define") && !plan.contains("Start"));
    assert_eq!((world.word().as_str(), world.domain()), ("SHUTOFF", Some(DomainState::Off)));
}

#[test]
fn a_guest_is_asked_to_shut_down_and_powered_off_after_two_minutes() {
    let mut world = running();
    world.obedient = false;
    world.server.spec.power_state = PowerState::Stopped;
    let mut plans = vec![];
    for _ in 0..14 {
        let text = plan(&mut world);
        plans.push(format!("+{}s {text}", world.now.duration_since(super::model::at(1)).as_secs()));
        world.now = world.now.checked_add(std::time::Duration::from_secs(10)).unwrap();
    }
    insta::assert_snapshot!(plans.join("\n"));
}

#[test]
fn a_hard_reboot_is_echoed_before_the_guest_is_started_again() {
    let mut world = running();
    world.server.spec.action = Some(ServerAction { id: "r1".into(), type_: ActionType::RebootHard });
    let first = plan(&mut world);
    assert_eq!(world.word(), "HARD_REBOOT");
    assert_eq!(world.server.status.as_ref().unwrap().last_action.as_ref().unwrap().id, "r1");
    let second = plan(&mut world);
    assert_eq!(world.word(), "ACTIVE");
    insta::assert_snapshot!(format!("{first}\n--\n{second}"));
}

#[test]
fn a_soft_reboot_of_a_guest_that_obeys_is_two_passes_and_a_start() {
    let mut world = running();
    world.server.spec.action = Some(ServerAction { id: "r1".into(), type_: ActionType::RebootSoft });
    let plans = [plan(&mut world), plan(&mut world), plan(&mut world), plan(&mut world)];
    insta::assert_snapshot!(plans.join("\n--\n"));
}

#[test]
fn a_reboot_of_a_stopped_guest_is_refused_and_echoed() {
    let mut world = running();
    world.server.spec.power_state = PowerState::Stopped;
    world.settle();
    world.server.spec.action = Some(ServerAction { id: "r1".into(), type_: ActionType::RebootHard });
    world.settle();
    let echo = world.server.status.as_ref().unwrap().last_action.clone().unwrap();
    assert!(!echo.succeeded && echo.message.unwrap().contains("spec.powerState"));
    assert_eq!(world.domain(), Some(DomainState::Off));
}

#[test]
fn a_deletion_removes_all_and_touches_nothing_else() {
    let mut world = running();
    world.server.metadata.deletion_timestamp = Some(Time(world.now));
    insta::assert_snapshot!(plan(&mut world));
}

#[test]
fn a_missing_disk_is_never_made_anew() {
    let mut world = running();
    world.power(DomainState::Off);
    world.observed.files.root_disk = None;
    let decision = world.pass().unwrap();
    assert!(decision.steps.is_empty());
    assert!(matches!(decision.goal, Goal::Blocked(f) if f.kind == FailureKind::DiskMissing));
    assert_eq!(world.word(), "ERROR");
    world.observed.files.root_disk = Some(crate::guest::DiskFile::default());
    world.settle();
    assert_eq!(world.word(), "ACTIVE");
}

#[test]
fn a_domain_of_somebody_else_is_never_touched_not_even_by_a_deletion() {
    let mut world = running();
    world.server.status.as_mut().unwrap().launched_at = None;
    world.observed.domain.as_mut().unwrap().owner = Some(world.somebody_elses());
    world.observed.files.folder = Folder::Of("somebody-else".into());
    let decision = world.pass().unwrap();
    assert!(decision.steps.is_empty());
    assert!(matches!(decision.goal, Goal::Blocked(f) if f.kind == FailureKind::Foreign));
    world.server.metadata.deletion_timestamp = Some(Time(world.now));
    let decision = world.pass().unwrap();
    assert_eq!(decision.goal, Goal::GoneButForeign);
    let kinds: Vec<_> = decision.steps.iter().map(|s| format!("{s:?}")).collect();
    assert!(kinds.iter().all(|k| k.contains("ReleaseAddress")), "{kinds:?}");
}

#[test]
fn a_deletion_ends_a_guest_whose_folder_lost_its_mark_and_leaves_the_folder() {
    let mut world = running();
    world.observed.files.folder = Folder::Unmarked;
    world.server.metadata.deletion_timestamp = Some(Time(world.now));
    let plan = plan(&mut world);
    assert!(plan.contains("Destroy") && plan.contains("Undefine") && !plan.contains("RemoveGuestFiles"), "{plan}");
    assert!(plan.contains("GoneButForeign"), "{plan}");
}

#[test]
fn a_guest_whose_host_rebooted_is_started_again() {
    let mut world = running();
    world.memory = crate::guest::Memory::default();
    world.power(DomainState::Off);
    let plan = plan(&mut world);
    assert!(plan.contains("Start") && !plan.contains("CreateRootDisk"), "{plan}");
}

#[test]
fn a_guest_of_a_deleted_network_runs_on_and_can_be_restarted() {
    let mut world = running();
    world.networks.clear();
    assert_eq!(world.pass().unwrap().steps, vec![]);
    world.power(DomainState::Crashed);
    world.settle();
    assert_eq!(world.word(), "ACTIVE");
}

#[test]
fn a_guest_of_a_network_that_never_was_on_this_host_says_so() {
    let mut world = World::new();
    world.networks.clear();
    assert!(matches!(world.pass().unwrap().goal, Goal::Blocked(f) if f.kind == FailureKind::NetworkMissing));
    assert_eq!(world.word(), "ERROR");
}

#[test]
fn a_guest_without_space_says_so_and_is_let_go_on_ever_more_slowly() {
    let mut world = running();
    let mut tries = Vec::new();
    for _ in 0..200 {
        world.power(DomainState::NoSpace);
        if !world.pass().unwrap().steps.is_empty() {
            tries.push(world.now);
        }
        let told = find_condition(&world.server.status.as_ref().unwrap().conditions, "Ready").unwrap().clone();
        assert_eq!(told.reason, reason::DISK_FULL);
        assert!(told.message.contains("Free space"), "{}", told.message);
        world.now = world.now.checked_add(Duration::from_secs(5)).unwrap();
    }
    assert!((3..12).contains(&tries.len()), "{tries:?}");
    world.power(DomainState::NoSpace);
    world.settle();
    assert_eq!((world.domain(), world.word().as_str()), (Some(DomainState::Running), "ACTIVE"));
}
