//! What holds whatever users, guests, hosts and crashes do.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::server::{ActionType, PowerState, Rescue, ResizePolicy, ServerAction};
use ostler_hypervisor::{DomainState, HypervisorStep, Step};
use proptest::prelude::*;

use super::model::World;
use crate::guest::{Memory, memory::LONGEST_REST};

/// Something that happens.
#[derive(Debug, Clone)]
enum Happening {
    Wish(PowerState),
    Act(ActionType),
    Flavor(&'static str),
    Image(&'static str),
    Rescue(Option<&'static str>),
    Policy(ResizePolicy),
    Manage,
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
                Just(ActionType::Rebuild),
                Just(ActionType::ConfirmResize),
                Just(ActionType::ResetToActive),
                Just(ActionType::ResetToError),
            ]
            .prop_map(Happening::Act),
            (0u64..400).prop_map(Happening::Wait),
            prop_oneof![Just("small"), Just("large"), Just("wide"), Just("bare"), Just("nothing")]
                .prop_map(Happening::Flavor),
            prop_oneof![Just("tiny"), Just("other"), Just("missing")].prop_map(Happening::Image),
            prop_oneof![Just(None), Just(Some("")), Just(Some("medic")), Just(Some("missing"))].prop_map(Happening::Rescue),
            prop_oneof![Just(ResizePolicy::Verify), Just(ResizePolicy::AutoConfirm)].prop_map(Happening::Policy),
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
        4 => Just(Happening::Pass),
        3 => Just(Happening::Manage),
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
        Happening::Flavor(name) => {
            world.server.spec.flavor = (*name).into();
            changed(world);
        }
        Happening::Image(name) => {
            world.server.spec.image = Some((*name).into());
            changed(world);
        }
        Happening::Rescue(image) => {
            let named = |i: &str| (!i.is_empty()).then(|| i.to_owned());
            world.server.spec.rescue = image.map(|i| Rescue { image: named(i) });
            changed(world);
        }
        Happening::Policy(policy) => {
            world.server.spec.resize_policy = Some(*policy);
            changed(world);
        }
        Happening::Manage => drop(world.manage()),
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
        Happening::CacheEmptied => world.observed.files.cached.clear(),
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
        let status = world.server.status.clone().unwrap();
        let (flavor, image) = (status.flavor.clone().unwrap(), status.image.clone().unwrap());
        let open = status.resize.is_some();
        let disk = world.observed.files.root_disk.clone().unwrap();
        let origin = disk.origin.unwrap();
        prop_assert_eq!((&origin.flavor, &origin.image), (&flavor.name, &image.id));
        prop_assert!(disk.size.unwrap() >= image.virtual_size.max(flavor.disk_gib << 30));
        prop_assert!(open || world.observed.files.kept.is_none());
        prop_assert!(!open || world.server.spec.resize_policy == Some(ResizePolicy::Verify));
        let rescued = world.server.spec.rescue.as_ref().is_some_and(|r| r.image.as_deref() != Some("missing"));
        if world.observed.is_active() {
            let boots = world.observed.domain.as_ref().unwrap().boot_disk.clone();
            prop_assert_eq!(boots == Some(super::model::context().rescue_disk), rescued);
            prop_assert_eq!(world.sized, (flavor.vcpus, flavor.memory_mib));
        }
        prop_assert!(rescued || world.observed.files.rescue_disk.is_none() || world.word() == "SUSPENDED");
        let named = |name: &str| super::catalog::flavors().contains_key(name);
        let refused = status.change_refused(world.server.metadata.generation).is_some();
        let same = world.server.spec.flavor == flavor.name && world.server.spec.image.as_deref() == Some(&*image.name);
        prop_assert!(same || refused, "{:?}", status.conditions);
        prop_assert!(named(&flavor.name));
        let expected = match world.server.spec.power_state {
            PowerState::Running if open => (Some(DomainState::Running), "VERIFY_RESIZE"),
            PowerState::Paused if open => (Some(DomainState::Paused), "VERIFY_RESIZE"),
            _ if open => (Some(DomainState::Off), "VERIFY_RESIZE"),
            PowerState::Running if rescued => (Some(DomainState::Running), "RESCUE"),
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
        prop_assert_eq!(saved, world.server.spec.power_state == PowerState::Suspended);
        prop_assert_eq!(world.observed.files.saved_mark, saved);
        let status = world.server.status.clone().unwrap();
        prop_assert_eq!(status.observed_generation, world.server.metadata.generation);
        prop_assert!(status.fault.is_none(), "{:?}", status.fault);
        let action = world.server.spec.action.as_ref().map(|a| a.id.clone());
        if action.is_some() {
            prop_assert_eq!(status.last_action.map(|a| a.id), action);
        }
    }

    /// C-19 … C-22 and S-12, with a crash of the node role after any step.
    #[test]
    fn a_crash_in_any_work_on_disks_comes_to_the_same_end(
        story in prop::collection::vec((0usize..8, 0usize..16, 1usize..4), 1..5),
    ) {
        let wishes = [
            Happening::Flavor("large"),
            Happening::Flavor("small"),
            Happening::Flavor("wide"),
            Happening::Image("other"),
            Happening::Rescue(Some("medic")),
            Happening::Rescue(None),
            Happening::Act(ActionType::Rebuild),
            Happening::Act(ActionType::ConfirmResize),
        ];
        let mut worlds = [World::new(), World::new()];
        for world in &mut worlds {
            world.server.spec.resize_policy = Some(ResizePolicy::Verify);
            world.settle();
        }
        for (serial, (wish, crash, passes)) in story.into_iter().enumerate() {
            let [crashed, calm] = &mut worlds;
            happen(crashed, &wishes[wish], serial);
            for _ in 0..passes {
                crashed.fail_after = Some(crash);
                let _ = crashed.pass();
                crashed.fail_after = None;
                crashed.memory = Memory::default();
                crashed.manage();
            }
            crashed.settle();
            happen(calm, &wishes[wish], serial);
            calm.settle();
            prop_assert_eq!(crashed.domain(), calm.domain());
            prop_assert_eq!(crashed.word(), calm.word());
            prop_assert_eq!(&crashed.observed.files, &calm.observed.files);
            prop_assert_eq!(crashed.data.is_empty(), calm.data.is_empty());
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
        prop_assert!(world.observed.files.root_disk.is_none() && !world.observed.files.config_drive);
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
