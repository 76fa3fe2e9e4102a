//! What holds whatever users, guests, hosts and crashes do.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::server::{ActionType, PowerState, ServerAction};
use ostler_hypervisor::{DomainState, HypervisorStep, Step};
use proptest::prelude::*;

use super::model::World;
use crate::guest::{Memory, memory::LONGEST_REST};

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    Wish(PowerState),
    Act(ActionType),
    GuestEnds(DomainState),
    GuestPauses(DomainState),
    GuestObeys(bool),
    StepFails(usize),
    NodeRoleRestarts,
    NetworkDeleted,
    TransientDomain,
    ConfigDriveLost,
    CacheEmptied,
    SavedMemoryLost,
    Wait(u64),
    Pass,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => prop_oneof![
            prop_oneof![
                Just(PowerState::Running),
                Just(PowerState::Stopped),
                Just(PowerState::Paused),
                Just(PowerState::Suspended)
            ]
            .prop_map(Happening::Wish),
            prop_oneof![
                Just(ActionType::RebootHard),
                Just(ActionType::RebootSoft),
                Just(ActionType::ChangePassword),
                Just(ActionType::ResetToActive),
                Just(ActionType::ResetToError),
            ]
            .prop_map(Happening::Act),
            (0u64..400).prop_map(Happening::Wait),
        ],
        3 => prop_oneof![
            prop_oneof![Just(DomainState::Off), Just(DomainState::Crashed)].prop_map(Happening::GuestEnds),
            prop_oneof![Just(DomainState::Paused), Just(DomainState::NoSpace)].prop_map(Happening::GuestPauses),
            any::<bool>().prop_map(Happening::GuestObeys),
        ],
        6 => prop_oneof![
            (0usize..8).prop_map(Happening::StepFails),
            Just(Happening::NodeRoleRestarts),
            Just(Happening::NetworkDeleted),
            Just(Happening::TransientDomain),
            Just(Happening::ConfigDriveLost),
            Just(Happening::CacheEmptied),
            Just(Happening::SavedMemoryLost),
        ],
        3 => Just(Happening::Pass),
    ]
}

fn happen(world: &mut World, what: &Happening, serial: usize) {
    let changed = |world: &mut World| *world.server.metadata.generation.as_mut().unwrap() += 1;
    match what {
        Happening::Wish(power) => {
            world.server.spec.power_state = *power;
            changed(world);
        }
        Happening::Act(type_) => {
            world.server.spec.action = Some(ServerAction { id: format!("a{serial}"), type_: *type_ });
            changed(world);
        }
        Happening::GuestEnds(state) if world.observed.is_active() => world.power(*state),
        Happening::GuestPauses(state) if world.observed.is_active() => world.power(*state),
        Happening::GuestEnds(_) | Happening::GuestPauses(_) => {}
        Happening::GuestObeys(obeys) => world.obedient = *obeys,
        Happening::StepFails(after) => world.fail_after = Some(*after),
        Happening::NodeRoleRestarts => world.memory = Memory::default(),
        Happening::NetworkDeleted => world.networks.clear(),
        Happening::TransientDomain => {
            // libvirt saves no memory of a transient domain.
            if let Some(domain) = world.observed.domain.as_mut().filter(|d| !d.saved) {
                domain.persistent = false;
            }
        }
        Happening::ConfigDriveLost => world.observed.files.config_drive = false,
        Happening::SavedMemoryLost => {
            if let Some(domain) = world.observed.domain.as_mut() {
                domain.saved = false;
            }
        }
        Happening::CacheEmptied => world.observed.files.image_cached = false,
        Happening::Wait(seconds) => world.now = world.now.checked_add(Duration::from_secs(*seconds)).unwrap(),
        Happening::Pass => {
            let _ = world.pass();
        }
    }
}

fn destroyed(world: &World) -> usize {
    world.done.iter().filter(|s| matches!(s, Step::Hypervisor(HypervisorStep::Destroy(_)))).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    // The model itself asserts that no step removes or replaces a disk, or undefines, unless a deletion asked for it.
    #[test]
    fn a_guest_ends_up_as_wished_whatever_happened(story in prop::collection::vec(happening(), 0..40)) {
        let mut world = World::new();
        for (i, what) in story.iter().enumerate() {
            happen(&mut world, what, i);
        }
        world.networks = super::model::networks();
        world.fail_after = None;
        world.settle();
        let status = world.server.status.clone().unwrap();
        let fault = status.fault.map(|f| f.message);
        if fault.as_ref().is_some_and(|m| m.contains("ResetToError")) {
            prop_assert_eq!(world.word(), "ERROR");
            happen(&mut world, &Happening::Act(ActionType::ResetToActive), 1000);
            world.settle();
        }
        if fault.as_ref().is_some_and(|m| m.contains("saved when it was suspended")) {
            // Its owner says that the memory may go.
            prop_assert_eq!(world.word(), "ERROR");
            let wish = world.server.spec.power_state;
            for power in [PowerState::Stopped, wish] {
                happen(&mut world, &Happening::Wish(power), 0);
                world.settle();
            }
        }
        let expected = match world.server.spec.power_state {
            PowerState::Running => (Some(DomainState::Running), "ACTIVE"),
            PowerState::Paused => (Some(DomainState::Paused), "PAUSED"),
            PowerState::Suspended => (Some(DomainState::Off), "SUSPENDED"),
            PowerState::Stopped | PowerState::Shelved => (Some(DomainState::Off), "SHUTOFF"),
        };
        let off = matches!(world.domain(), Some(DomainState::Off | DomainState::Crashed));
        let still = matches!(world.domain(), Some(DomainState::Paused | DomainState::NoSpace));
        let seen = match (off, still) {
            (true, _) => Some(DomainState::Off),
            (_, true) => Some(DomainState::Paused),
            (false, false) => world.domain(),
        };
        let word = world.word();
        prop_assert_eq!((seen, word.as_str()), expected);
        let saved = world.observed.domain.as_ref().is_some_and(|d| d.saved);
        prop_assert_eq!(saved, word == "SUSPENDED");
        prop_assert_eq!(world.observed.files.saved_mark, saved);
        let status = world.server.status.clone().unwrap();
        prop_assert_eq!(status.observed_generation, world.server.metadata.generation);
        prop_assert!(status.fault.is_none());
        let action = world.server.spec.action.as_ref().map(|a| a.id.clone());
        if action.is_some() {
            prop_assert_eq!(status.last_action.map(|a| a.id), action);
        }
    }

    /// S-04, S-06 … S-08: every way between the four states, with a crash of the node role after any step.
    #[test]
    fn a_crash_after_any_step_comes_to_the_same_end(
        wishes in prop::collection::vec(0usize..4, 1..5),
        crash in 0usize..9,
    ) {
        let states = [PowerState::Running, PowerState::Stopped, PowerState::Paused, PowerState::Suspended];
        let mut crashed = World::new();
        let mut calm = World::new();
        for wish in wishes {
            happen(&mut crashed, &Happening::Wish(states[wish]), 0);
            crashed.fail_after = Some(crash);
            let _ = crashed.pass();
            crashed.fail_after = None;
            crashed.memory = Memory::default();
            crashed.settle();
            happen(&mut calm, &Happening::Wish(states[wish]), 0);
            calm.settle();
            prop_assert_eq!(crashed.domain(), calm.domain());
            prop_assert_eq!(crashed.word(), calm.word());
            prop_assert_eq!(&crashed.observed.files, &calm.observed.files);
        }
    }

    #[test]
    fn a_second_pass_over_a_settled_guest_does_and_writes_nothing(story in prop::collection::vec(happening(), 0..20)) {
        let mut world = World::new();
        for (i, what) in story.iter().enumerate() {
            happen(&mut world, what, i);
        }
        world.networks = super::model::networks();
        world.fail_after = None;
        world.settle();
        let writes = world.writes;
        let decision = world.pass().unwrap();
        prop_assert!(decision.steps.is_empty());
        prop_assert_eq!(decision.requeue, None);
        prop_assert_eq!(world.writes, writes);
    }

    #[test]
    fn every_state_can_be_deleted_and_leaves_nothing(story in prop::collection::vec(happening(), 0..30)) {
        let mut world = World::new();
        for (i, what) in story.iter().enumerate() {
            happen(&mut world, what, i);
        }
        world.server.metadata.deletion_timestamp = Some(Time(world.now));
        world.fail_after = Some(story.len() % 5);
        world.settle();
        prop_assert!(world.gone);
        prop_assert_eq!(world.domain(), None);
        prop_assert!(!world.observed.files.root_disk && !world.observed.files.config_drive);
    }

    #[test]
    fn a_hard_reboot_powers_off_once_even_if_the_node_role_dies_after_any_pass(deaths in prop::collection::vec(any::<bool>(), 1..6)) {
        let mut world = World::new();
        world.settle();
        world.server.spec.action = Some(ServerAction { id: "r".into(), type_: ActionType::RebootHard });
        for dies in deaths {
            let _ = world.pass();
            if dies {
                world.memory = Memory::default();
            }
        }
        world.settle();
        prop_assert_eq!(destroyed(&world), 1);
        prop_assert_eq!(world.domain(), Some(DomainState::Running));
    }

    #[test]
    fn a_guest_that_always_stops_is_started_ever_more_slowly(runs in prop::collection::vec(0u64..20, 8..30)) {
        let mut world = World::new();
        world.settle();
        for run in &runs {
            world.now = world.now.checked_add(Duration::from_secs(*run)).unwrap();
            world.power(DomainState::Off);
            let before = world.now;
            world.settle();
            let rest = Duration::try_from(world.now.duration_since(before)).unwrap();
            prop_assert!(rest <= LONGEST_REST);
        }
        let total = Duration::try_from(world.now.duration_since(super::model::at(1))).unwrap();
        prop_assert!(total > Duration::from_secs(300), "{total:?}");
    }
}
