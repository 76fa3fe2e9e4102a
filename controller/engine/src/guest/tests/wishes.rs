//! Wishes beyond on and off, one at a time.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::{
    find_condition,
    names::{condition, reason},
    server::{ActionType, AdminPassword, LastAction, PowerState, ServerAction},
};
use ostler_hypervisor::{DomainState, HypervisorStep, PasswordHash, Step};
use rstest::rstest;

use super::model::World;
use crate::guest::{Memory, config_drive::DriveSource};

const HASH: &str = "$6$salt$0123456789abcdef";

fn settled(wish: PowerState) -> World {
    let mut world = World::new();
    world.settle();
    ask(&mut world, wish);
    world.settle();
    world
}

fn ask(world: &mut World, wish: PowerState) {
    world.server.spec.power_state = wish;
    changed(world);
}

fn act(world: &mut World, type_: ActionType) -> LastAction {
    world.server.spec.action = Some(ServerAction { id: format!("{type_:?}"), type_ });
    changed(world);
    world.settle();
    world.server.status.as_ref().unwrap().last_action.clone().unwrap()
}

fn changed(world: &mut World) {
    *world.server.metadata.generation.as_mut().unwrap() += 1;
}

fn steps(world: &World, since: usize) -> String {
    let name = |s: &Step| match s {
        Step::Hypervisor(HypervisorStep::Start(_)) => Some("start"),
        Step::Hypervisor(HypervisorStep::Shutdown(_)) => Some("ask"),
        Step::Hypervisor(HypervisorStep::Destroy(_)) => Some("destroy"),
        Step::Hypervisor(HypervisorStep::Pause(_)) => Some("pause"),
        Step::Hypervisor(HypervisorStep::Save(_)) => Some("save"),
        Step::Hypervisor(HypervisorStep::DiscardSaved(_)) => Some("discard"),
        Step::Hypervisor(_) | Step::Storage(_) => None,
    };
    world.done[since..].iter().filter_map(name).collect::<Vec<_>>().join(" ")
}

/// S-04, S-06, S-07, S-08: from every state to every other.
#[rstest]
#[case(PowerState::Running, PowerState::Paused, "pause", "PAUSED")]
#[case(PowerState::Running, PowerState::Suspended, "save", "SUSPENDED")]
#[case(PowerState::Paused, PowerState::Running, "start", "ACTIVE")]
#[case(PowerState::Paused, PowerState::Stopped, "start ask", "SHUTOFF")]
#[case(PowerState::Paused, PowerState::Suspended, "save", "SUSPENDED")]
#[case(PowerState::Suspended, PowerState::Running, "start", "ACTIVE")]
#[case(PowerState::Suspended, PowerState::Paused, "start pause", "PAUSED")]
#[case(PowerState::Suspended, PowerState::Stopped, "discard", "SHUTOFF")]
#[case(PowerState::Stopped, PowerState::Paused, "start pause", "PAUSED")]
#[case(PowerState::Stopped, PowerState::Suspended, "start save", "SUSPENDED")]
fn a_standing_wish_is_come_to(
    #[case] from: PowerState,
    #[case] to: PowerState,
    #[case] plan: &str,
    #[case] word: &str,
) {
    let mut world = settled(from);
    let before = world.done.len();
    ask(&mut world, to);
    world.settle();
    assert_eq!((steps(&world, before).as_str(), world.word().as_str()), (plan, word));
}

/// C-18: HARD from each of Nova's states ends as the standing wish says; what is off by wish stays off.
#[rstest]
#[case(PowerState::Running, "destroy start", "ACTIVE", true)]
#[case(PowerState::Paused, "destroy start pause", "PAUSED", true)]
#[case(PowerState::Suspended, "discard start save", "SUSPENDED", true)]
#[case(PowerState::Stopped, "", "SHUTOFF", false)]
fn a_hard_reboot_comes_back_to_the_standing_wish(
    #[case] wish: PowerState,
    #[case] plan: &str,
    #[case] word: &str,
    #[case] done: bool,
) {
    let mut world = settled(wish);
    let before = world.done.len();
    let echo = act(&mut world, ActionType::RebootHard);
    assert_eq!((steps(&world, before).as_str(), world.word().as_str(), echo.succeeded), (plan, word, done));
}

#[rstest]
#[case(PowerState::Paused)]
#[case(PowerState::Suspended)]
fn a_soft_reboot_of_what_stands_still_is_refused_and_leaves_it_so(#[case] wish: PowerState) {
    let mut world = settled(wish);
    let (before, word) = (world.done.len(), world.word());
    let echo = act(&mut world, ActionType::RebootSoft);
    assert!(!echo.succeeded && echo.message.unwrap().contains("RebootHard"));
    assert_eq!((steps(&world, before).as_str(), world.word()), ("", word));
}

#[rstest]
#[case(PowerState::Running)]
#[case(PowerState::Paused)]
#[case(PowerState::Suspended)]
fn a_suspended_guest_whose_memory_is_lost_is_never_booted_in_silence(#[case] wish: PowerState) {
    let mut world = settled(PowerState::Suspended);
    world.observed.domain.as_mut().unwrap().saved = false;
    world.memory = Memory::default();
    ask(&mut world, wish);
    for _ in 0..3 {
        assert_eq!(world.pass().unwrap().steps, vec![]);
    }
    let conditions = &world.server.status.as_ref().unwrap().conditions;
    assert_eq!(find_condition(conditions, condition::STALLED).unwrap().reason, reason::SAVED_MEMORY_MISSING);
    assert_eq!(world.word(), "ERROR");
    // Both ways out.
    let mut other = settled(PowerState::Suspended);
    other.observed.domain.as_mut().unwrap().saved = false;
    ask(&mut other, PowerState::Running);
    assert!(act(&mut other, ActionType::RebootHard).succeeded);
    assert_eq!(other.word(), "ACTIVE");
    for wish in [PowerState::Stopped, PowerState::Running] {
        ask(&mut world, wish);
        world.settle();
    }
    assert_eq!(world.word(), "ACTIVE");
}

#[test]
fn a_guest_whose_qemu_dies_while_it_is_saved_is_not_booted_in_silence() {
    let mut world = settled(PowerState::Running);
    ask(&mut world, PowerState::Suspended);
    world.fail_after = Some(1);
    let _ = world.pass();
    world.power(DomainState::Crashed);
    world.settle();
    assert_eq!(world.word(), "ERROR");
}

#[rstest]
#[case(PowerState::Paused)]
#[case(PowerState::Suspended)]
fn what_stands_still_can_be_deleted(#[case] wish: PowerState) {
    let mut world = settled(wish);
    world.server.metadata.deletion_timestamp = Some(Time(world.now));
    world.settle();
    assert!(world.gone && world.domain().is_none() && !world.observed.files.saved_mark);
}

/// C-17.
#[test]
fn a_password_is_set_once_by_the_agent_of_a_running_guest() {
    let mut world = settled(PowerState::Running);
    assert!(!act(&mut world, ActionType::ChangePassword).succeeded);
    world.server.spec.admin_password = Some(AdminPassword { hash: HASH.into() });
    world.server.spec.action = None;
    let mut again = act_anew(&mut world, "p1");
    assert!(again.succeeded);
    assert_eq!(world.password, Some(PasswordHash(HASH.into())));
    let set = |w: &World| w.done.iter().filter(|s| format!("{s:?}").contains("SetPassword")).count();
    assert_eq!(set(&world), 1);
    assert!(!format!("{:?}", world.done).contains("salt"), "no log may show it");
    ask(&mut world, PowerState::Stopped);
    world.settle();
    again = act_anew(&mut world, "p2");
    assert!(!again.succeeded && again.message.unwrap().contains("does not run"));
}

#[test]
fn a_guest_without_an_agent_says_so_once_and_runs_on() {
    let mut world = settled(PowerState::Running);
    world.server.spec.admin_password = Some(AdminPassword { hash: HASH.into() });
    world.fail_after = Some(0);
    let echo = act_anew(&mut world, "p1");
    assert!(!echo.succeeded && echo.message.unwrap().contains("agent"));
    assert_eq!((world.word().as_str(), world.domain()), ("ACTIVE", Some(DomainState::Running)));
    assert_eq!(world.password, None);
}

fn act_anew(world: &mut World, id: &str) -> LastAction {
    world.server.spec.action = Some(ServerAction { id: id.into(), type_: ActionType::ChangePassword });
    changed(world);
    world.settle();
    world.server.status.as_ref().unwrap().last_action.clone().unwrap()
}

#[test]
fn the_password_is_on_the_config_drive_as_cloud_init_wants_it() {
    let source = DriveSource {
        uuid: "u".into(),
        name: "n".into(),
        hostname: "h".into(),
        project_id: "p".into(),
        availability_zone: None,
        meta: Default::default(),
        key: None,
        user_data: None,
        password: Some(PasswordHash(HASH.into())),
        files: vec![],
        flavor: "small".into(),
        image: "i".into(),
        security_groups: vec![],
        links: vec![],
    };
    let files = source.files("nova");
    let vendor = files.iter().find(|(name, _)| name.ends_with("latest/vendor_data.json")).unwrap();
    let vendor: serde_json::Value = serde_json::from_slice(&vendor.1).unwrap();
    let config = vendor["cloud-init"].as_str().unwrap().strip_prefix("#cloud-config\n").unwrap();
    let config: serde_json::Value = serde_json::from_str(config).unwrap();
    assert_eq!(config["chpasswd"]["users"][0]["password"], HASH);
}

#[test]
fn an_administrators_error_stays_until_something_else_is_wished_and_touches_no_guest() {
    let mut world = settled(PowerState::Running);
    let before = world.done.len();
    assert!(act(&mut world, ActionType::ResetToError).succeeded);
    for _ in 0..2 {
        world.memory = Memory::default();
        world.settle();
        assert_eq!(world.word(), "ERROR");
    }
    let writes = world.writes;
    world.settle();
    assert_eq!(world.writes, writes);
    assert!(act(&mut world, ActionType::ResetToActive).succeeded);
    assert_eq!((world.word().as_str(), steps(&world, before).as_str()), ("ACTIVE", ""));
    assert!(world.server.status.as_ref().unwrap().fault.is_none());
    act(&mut world, ActionType::ResetToError);
    ask(&mut world, PowerState::Stopped);
    world.settle();
    assert_eq!(world.word(), "SHUTOFF");
}

#[test]
fn a_host_name_of_its_own_is_told_to_the_guest() {
    let mut world = World::new();
    world.server.spec.hostname = Some("db-1".into());
    world.settle();
    let drive = format!("{:?}", String::from_utf8_lossy(&super::reports::meta_data(&world)));
    assert!(drive.contains("db-1"), "{drive}");
}
