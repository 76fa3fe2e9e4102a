//! Rebuild, resize and rescue: what becomes of the disks.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::{
    find_condition,
    names::{condition, reason},
    server::{ActionType, LastAction, PowerState, Rescue, ResizePolicy, ServerAction, state::shown},
};
use ostler_hypervisor::{DomainState, Step, StorageStep};
use rstest::rstest;

use super::model::{World, context};
use crate::guest::{FailureKind, Goal, Memory};

fn settled(wish: PowerState) -> World {
    let mut world = World::new();
    world.server.spec.power_state = wish;
    world.settle();
    world
}

fn changed(world: &mut World) {
    *world.server.metadata.generation.as_mut().unwrap() += 1;
}

fn flavor(world: &mut World, name: &str) {
    world.server.spec.flavor = name.into();
    changed(world);
}

fn act(world: &mut World, type_: ActionType) -> LastAction {
    let serial = world.server.metadata.generation.unwrap();
    world.server.spec.action = Some(ServerAction { id: format!("{type_:?}-{serial}"), type_ });
    changed(world);
    world.settle();
    world.server.status.as_ref().unwrap().last_action.clone().unwrap()
}

fn gib(world: &World) -> u64 {
    world.observed.files.root_disk.as_ref().unwrap().size.unwrap() >> 30
}

fn told(world: &World, type_: &str) -> String {
    let conditions = &world.server.status.as_ref().unwrap().conditions;
    find_condition(conditions, type_).map(|c| c.reason.clone()).unwrap_or_default()
}

fn at<'a>(world: &'a World, what: impl Fn(&StorageStep) -> bool + 'a) -> impl Iterator<Item = usize> + 'a {
    world.done.iter().enumerate().filter_map(move |(i, s)| match s {
        Step::Storage(s) if what(s) => Some(i),
        Step::Storage(_) | Step::Hypervisor(_) => None,
    })
}

/// The mark comes before the growth, so that a revert finds its way back; a crash between the two must not end it there.
#[test]
fn c20_a_resize_of_a_guest_that_is_off_is_finished_after_a_crash_right_behind_the_mark() {
    let mut world = settled(PowerState::Stopped);
    flavor(&mut world, "large");
    world.settle();
    assert_eq!(gib(&world), 2);
    world.observed.files.root_disk.as_mut().unwrap().size = Some(1 << 30);
    world.memory = Memory::default();
    world.settle();
    assert_eq!((gib(&world), world.domain()), (2, Some(DomainState::Off)));
    assert!(world.pass().unwrap().steps.is_empty());
}

/// A disk that was about to be replaced may be the old one or the new one: it is nobody's, whatever is wished by now.
#[test]
fn a_disk_that_a_crash_left_in_the_middle_of_a_rebuild_is_made_anew_even_if_the_rebuild_was_taken_back() {
    let mut world = settled(PowerState::Stopped);
    world.observed.files.root_disk.as_mut().unwrap().origin.as_mut().unwrap().image = String::new();
    world.settle();
    assert_eq!(at(&world, |s| matches!(s, StorageStep::ReplaceRootDisk { .. })).count(), 1);
    assert!(world.pass().unwrap().steps.is_empty());
}

/// C-19: wiped, id and addresses stay, as it was: on or off.
#[rstest]
#[case(PowerState::Running, "ACTIVE")]
#[case(PowerState::Stopped, "SHUTOFF")]
#[case(PowerState::Paused, "PAUSED")]
fn a_rebuild_with_the_same_image_wipes_the_disk_once(#[case] wish: PowerState, #[case] word: &str) {
    let mut world = settled(wish);
    let before = world.data.clone();
    assert!(act(&mut world, ActionType::Rebuild).succeeded);
    assert_eq!(world.word(), word);
    let anew = |w: &World| at(w, |s| matches!(s, StorageStep::ReplaceRootDisk { .. })).count();
    let drives = |w: &World| at(w, |s| matches!(s, StorageStep::WriteConfigDrive { .. })).count();
    assert_eq!((anew(&world), drives(&world)), (1, 2));
    assert!(world.data != before || before.is_empty());
    world.memory = Memory::default();
    world.settle();
    assert_eq!(anew(&world), 1);
    assert!(act(&mut world, ActionType::Rebuild).succeeded);
    assert_eq!(anew(&world), 2);
}

#[test]
fn another_image_is_a_rebuild_and_the_guest_runs_until_the_image_is_there() {
    let mut world = settled(PowerState::Running);
    world.server.spec.image = Some("other".into());
    changed(&mut world);
    let _ = world.pass();
    assert_eq!(shown(&world.server).status, "REBUILD");
    assert!(world.manage());
    assert_eq!(shown(&world.server).status, "REBUILD", "the disk is not made yet");
    let plan = world.pass().unwrap();
    assert!(matches!(plan.steps[0], Step::Storage(StorageStep::FetchImage { .. })), "{:?}", plan.steps[0]);
    world.settle();
    assert_eq!(shown(&world.server).status, "ACTIVE");
    let origin = world.observed.files.root_disk.clone().unwrap().origin.unwrap();
    assert_eq!((origin.sha256, origin.flavor.as_str()), ("cd".repeat(32), "small"));
    assert_eq!(world.data.len(), 1, "started once since");
}

#[test]
fn an_image_that_does_not_exist_leaves_the_guest_as_it_was_and_can_be_set_back() {
    let mut world = settled(PowerState::Running);
    let steps = world.done.len();
    world.server.spec.image = Some("missing".into());
    changed(&mut world);
    world.settle();
    assert_eq!((world.word().as_str(), shown(&world.server).status.as_str()), ("ACTIVE", "ACTIVE"));
    assert_eq!(told(&world, condition::CHANGE_REFUSED), reason::IMAGE_NOT_FOUND);
    assert_eq!(told(&world, condition::READY), reason::CHANGE_REFUSED);
    world.server.spec.image = Some("tiny".into());
    changed(&mut world);
    world.settle();
    assert_eq!(told(&world, condition::READY), reason::AS_WISHED);
    assert_eq!(world.done.len(), steps);
}

#[test]
fn a_rebuild_is_the_way_out_where_the_disk_is_gone() {
    let mut world = settled(PowerState::Running);
    world.power(DomainState::Off);
    world.observed.files.root_disk = None;
    assert!(matches!(world.pass().unwrap().goal, Goal::Blocked(f) if f.kind == FailureKind::DiskMissing));
    assert!(act(&mut world, ActionType::Rebuild).succeeded);
    assert_eq!(world.word(), "ACTIVE");
}

/// C-20, C-21: S-11, and ACTIVE or SHUTOFF after the confirmation.
#[rstest]
#[case(PowerState::Running, "ACTIVE")]
#[case(PowerState::Stopped, "SHUTOFF")]
fn a_resize_waits_for_its_confirmation(#[case] wish: PowerState, #[case] word: &str) {
    let mut world = settled(wish);
    world.server.spec.resize_policy = Some(ResizePolicy::Verify);
    flavor(&mut world, "large");
    world.settle();
    assert_eq!((world.word().as_str(), gib(&world), world.sized), ("VERIFY_RESIZE", 2, (2, 256)));
    assert!(world.observed.files.kept.is_some());
    world.memory = Memory::default();
    world.settle();
    assert!(act(&mut world, ActionType::ConfirmResize).succeeded);
    assert_eq!((world.word().as_str(), gib(&world)), (word, 2));
    assert!(world.observed.files.kept.is_none() && world.server.status.as_ref().unwrap().resize.is_none());
    assert!(!act(&mut world, ActionType::ConfirmResize).succeeded, "once is enough");
}

#[test]
fn c22_a_reverted_resize_has_the_old_disk_back() {
    let mut world = settled(PowerState::Running);
    world.server.spec.resize_policy = Some(ResizePolicy::Verify);
    let data = world.data.clone();
    flavor(&mut world, "large");
    world.settle();
    assert_ne!(world.data, data);
    flavor(&mut world, "small");
    let _ = world.pass();
    assert_eq!(shown(&world.server).status, "REVERT_RESIZE");
    world.settle();
    assert_eq!((world.word().as_str(), gib(&world), world.sized), ("ACTIVE", 1, (1, 128)));
    assert_eq!(world.data[..data.len()], data[..]);
    assert_eq!(world.data.len(), data.len() + 1);
    assert!(world.observed.files.kept.is_none());
}

#[test]
fn a_resize_confirms_itself_and_never_shows_as_one_to_verify() {
    let mut world = settled(PowerState::Running);
    flavor(&mut world, "large");
    world.settle();
    assert_eq!((world.word().as_str(), gib(&world), world.sized), ("ACTIVE", 2, (2, 256)));
    let resized = ostler_crds::server::state::VmState::Resized;
    assert!(!world.seen_words.contains(&resized));
    assert!(world.observed.files.kept.is_none() && world.server.status.as_ref().unwrap().resize.is_none());
    for name in ["wide", "large"] {
        flavor(&mut world, name);
        world.settle();
    }
    assert_eq!(told(&world, condition::READY), reason::AS_WISHED);
}

#[rstest]
#[case("small", reason::INVALID_SPEC)]
#[case("bare", reason::INVALID_SPEC)]
#[case("nothing", reason::FLAVOR_NOT_FOUND)]
fn a_flavor_that_cannot_be_had_leaves_the_guest_as_it_was(#[case] name: &str, #[case] why: &str) {
    let mut world = settled(PowerState::Running);
    flavor(&mut world, "large");
    world.settle();
    let steps = world.done.len();
    flavor(&mut world, name);
    world.settle();
    assert_eq!((world.word().as_str(), gib(&world), world.done.len()), ("ACTIVE", 2, steps));
    assert_eq!(told(&world, condition::CHANGE_REFUSED), why);
    flavor(&mut world, "large");
    world.settle();
    assert_eq!(told(&world, condition::READY), reason::AS_WISHED);
}

#[test]
fn a_flavor_that_its_host_has_no_room_for_waits_until_it_has() {
    let mut world = settled(PowerState::Running);
    world.free.disk_gib = 1;
    flavor(&mut world, "large");
    world.settle();
    assert_eq!(told(&world, condition::CHANGE_REFUSED), reason::NO_HOST_FITS);
    assert_eq!((world.word().as_str(), shown(&world.server).status.as_str()), ("ACTIVE", "ACTIVE"));
    world.free.disk_gib = 100;
    world.settle();
    assert_eq!((world.sized, told(&world, condition::CHANGE_REFUSED)), ((2, 256), String::new()));
}

#[test]
fn a_copy_that_finds_no_room_leaves_a_way_back() {
    let mut world = settled(PowerState::Running);
    flavor(&mut world, "large");
    for _ in 0..4 {
        let _ = world.pass();
        world.manage();
        world.fail_after = Some(0);
    }
    assert_eq!(world.word(), "ERROR");
    flavor(&mut world, "small");
    world.fail_after = None;
    world.settle();
    assert_eq!((world.word().as_str(), gib(&world), world.sized), ("ACTIVE", 1, (1, 128)));
}

#[rstest]
#[case(PowerState::Suspended, None)]
#[case(PowerState::Running, Some("medic"))]
fn a_suspended_or_rescued_server_is_resized_when_it_is_neither(#[case] wish: PowerState, #[case] rescue: Option<&str>) {
    let mut world = settled(wish);
    world.server.spec.rescue = rescue.map(|image| Rescue { image: Some(image.into()) });
    changed(&mut world);
    world.settle();
    let word = world.word();
    flavor(&mut world, "large");
    world.settle();
    assert_eq!(told(&world, condition::CHANGE_REFUSED), reason::NOT_IN_THIS_STATE);
    assert_eq!((world.word(), gib(&world)), (word, 1));
    (world.server.spec.rescue, world.server.spec.power_state) = (None, PowerState::Running);
    changed(&mut world);
    world.settle();
    assert_eq!((world.word().as_str(), gib(&world)), ("ACTIVE", 2));
}

/// S-12.
#[rstest]
#[case(None, "ab")]
#[case(Some("medic"), "ef")]
fn a_rescued_guest_runs_from_a_rescue_disk_and_back_from_its_own(#[case] image: Option<&str>, #[case] base: &str) {
    let mut world = settled(PowerState::Running);
    let data = world.data.clone();
    world.server.spec.rescue = Some(Rescue { image: image.map(Into::into) });
    changed(&mut world);
    assert_eq!(shown(&world.server).task_state.unwrap().as_str(), "rescuing");
    world.settle();
    assert_eq!(world.word(), "RESCUE");
    assert_eq!(world.observed.files.rescue_disk, Some(base.repeat(32)));
    assert_eq!(world.observed.domain.as_ref().unwrap().boot_disk, Some(context().rescue_disk));
    assert!(act(&mut world, ActionType::RebootHard).succeeded);
    assert_eq!(world.word(), "RESCUE");
    assert!(!act(&mut world, ActionType::Rebuild).succeeded);
    assert_eq!(world.data, data, "its own disk is not run");
    world.server.spec.rescue = None;
    changed(&mut world);
    world.settle();
    assert_eq!((world.word().as_str(), world.data.len()), ("ACTIVE", data.len() + 1));
    assert_eq!(world.observed.files.rescue_disk, None);
}

#[rstest]
#[case(|w: &mut World| { w.server.spec.resize_policy = Some(ResizePolicy::Verify); w.server.spec.flavor = "large".into(); })]
#[case(|w: &mut World| w.server.spec.rescue = Some(Rescue { image: None }))]
#[case(|w: &mut World| w.server.spec.image = Some("other".into()))]
fn each_of_them_can_be_deleted_at_any_step(#[case] wish: fn(&mut World)) {
    for steps in 0..12 {
        for passes in 1..4 {
            let mut world = settled(PowerState::Running);
            wish(&mut world);
            changed(&mut world);
            for _ in 0..passes {
                let _ = world.pass();
                world.manage();
            }
            world.fail_after = Some(steps);
            let _ = world.pass();
            world.fail_after = None;
            world.server.metadata.deletion_timestamp = Some(Time(world.now));
            world.settle();
            assert!(world.gone && world.domain().is_none());
            let left = &world.observed.files;
            assert!(left.root_disk.is_none() && left.kept.is_none() && left.rescue_disk.is_none());
        }
    }
}
