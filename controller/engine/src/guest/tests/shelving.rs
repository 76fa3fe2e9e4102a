//! Off the host and back.

use ostler_crds::server::{PowerState, ResolvedImage, Shelf};
use ostler_hypervisor::{DomainState, Step, StorageStep};

use super::model::{UID, World};
use crate::guest::{Folder, Goal};

fn shelved(world: &mut World) -> ResolvedImage {
    world.server.spec.power_state = PowerState::Shelved;
    world.server.metadata.generation = Some(2);
    world.settle();
    let status = world.server.status.as_mut().unwrap();
    let image = ResolvedImage { sha256: "cd".repeat(32), id: "kept".into(), ..status.image.clone().unwrap() };
    // The manager, when the image is whole.
    status.shelf = Some(Shelf { image: image.clone(), host: status.host.clone() });
    image
}

#[test]
fn a_guest_is_off_until_its_image_is_whole_and_then_nothing_of_it_stays() {
    let mut world = World::new();
    world.settle();
    shelved(&mut world);
    assert_eq!((world.domain(), world.word().as_str()), (Some(DomainState::Off), "SHUTOFF"));
    assert!(world.observed.files.root_disk.is_some());
    world.settle();
    assert_eq!((world.domain(), world.word().as_str()), (None, "SHELVED_OFFLOADED"));
    assert_eq!(world.observed.files.folder, Folder::Missing);
    // Whatever is wished meanwhile, and once more: it stays so until the manager places it anew.
    world.server.spec.power_state = PowerState::Running;
    let writes = world.writes;
    let decision = world.pass().unwrap();
    assert!(decision.steps.is_empty() && world.writes == writes);
}

#[test]
fn a_step_that_fails_on_the_way_off_is_done_again() {
    for fail_after in 0..4 {
        let mut world = World::new();
        world.settle();
        shelved(&mut world);
        world.fail_after = Some(fail_after);
        let _ = world.pass();
        world.settle();
        assert_eq!((world.domain(), world.word().as_str()), (None, "SHELVED_OFFLOADED"));
    }
}

#[test]
fn what_belongs_to_somebody_else_is_not_taken_off() {
    let mut world = World::new();
    world.settle();
    shelved(&mut world);
    let owner = world.somebody_elses();
    world.observed.domain.as_mut().unwrap().owner = Some(owner);
    let decision = world.pass().unwrap();
    assert!(decision.steps.is_empty() && matches!(decision.goal, Goal::Blocked(_)), "{decision:?}");
    assert_eq!(world.observed.files.folder, Folder::Of(UID.into()));
}

#[test]
fn a_guest_that_comes_back_gets_its_disk_from_the_image_once() {
    let mut world = World::new();
    world.settle();
    let image = shelved(&mut world);
    world.settle();
    // The manager places it on a host that has neither image.
    world.server.spec.power_state = PowerState::Running;
    world.server.metadata.generation = Some(3);
    world.observed.files.cached.clear();
    world.server.status.as_mut().unwrap().shelf.as_mut().unwrap().host = None;
    world.done.clear();
    world.settle();
    assert_eq!((world.domain(), world.word().as_str()), (Some(DomainState::Running), "ACTIVE"));
    let sources = |step: &Step| match step {
        Step::Storage(StorageStep::FetchImage { sha256, .. }) => Some(sha256.clone()),
        Step::Storage(StorageStep::CreateRootDisk { origin, .. }) => Some(origin.sha256.clone()),
        Step::Storage(_) | Step::Hypervisor(_) => None,
    };
    assert_eq!(world.done.iter().filter_map(sources).collect::<Vec<_>>(), [image.sha256.clone(), image.sha256]);
    // The manager forgets the image. It is a disk of the Server's image still: nothing is rebuilt.
    let settled = world.observed.files.root_disk.clone();
    world.server.status.as_mut().unwrap().shelf = None;
    world.done.clear();
    world.settle();
    assert_eq!((world.done.len(), &world.observed.files.root_disk), (0, &settled));
    // The first one is not fetched for a disk that is there.
    world.observed.files.cached.clear();
    world.power(DomainState::Off);
    world.done.clear();
    world.settle();
    assert_eq!(world.domain(), Some(DomainState::Running));
    assert_eq!(world.done.iter().filter_map(sources).count(), 0);
}
