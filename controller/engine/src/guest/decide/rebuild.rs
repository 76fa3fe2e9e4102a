//! The root disk made anew: another image, or action Rebuild. The guest runs on until the new image is on the host, and its
//! old disk is there until the new one is.

use ostler_crds::server::ActionType;
use ostler_hypervisor::{Origin, Step, StorageStep};

use super::{
    super::wish::Unresolved,
    Decision, Goal, power,
    scene::{Scene, done, refused},
};
use crate::guest::memory::Memory;

pub(super) fn decide(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let origin = scene.observed.files.root_disk.as_ref().and_then(|disk| disk.origin.as_ref());
    let other = origin.is_some_and(|o| o.image != scene.guest.image);
    let mut rebuild = origin.and_then(|o| o.rebuild.clone());
    let mut asked = false;
    if let Some(action) = scene.action(memory).filter(|a| a.type_ == ActionType::Rebuild) {
        match cannot(scene) {
            Some(Cannot::Ever(why)) => memory.finished = Some(refused(action, why)),
            Some(Cannot::Yet) => return Some(Decision::new(vec![], Goal::Waiting, memory.clone())),
            None => {
                asked = rebuild.as_ref() != Some(&action.id);
                rebuild = Some(action.id.clone());
                memory.finished = Some(done(action));
            }
        }
    }
    (asked || other).then(|| anew(scene, memory.clone(), rebuild))
}

/// Why an action Rebuild is not done.
enum Cannot {
    Ever(String),
    Yet,
}

fn cannot(scene: &Scene<'_>) -> Option<Cannot> {
    if scene.guest.resize.is_some() {
        return Some(Cannot::Ever("a resize is open: confirm it, or set spec.flavor back".to_owned()));
    }
    if scene.guest.rescue.is_some() {
        return Some(Cannot::Ever("the guest is rescued: remove spec.rescue".to_owned()));
    }
    match &scene.guest.unresolved {
        Some(Unresolved::Refused(why)) => Some(Cannot::Ever(why.clone())),
        Some(Unresolved::Awaited) => Some(Cannot::Yet),
        None => None,
    }
}

fn anew(scene: &Scene<'_>, memory: Memory, rebuild: Option<String>) -> Decision {
    let (guest, base) = (scene.guest, &scene.guest.base);
    // First of all: a plan goes no further until the image is here.
    let mut steps = scene.fetched();
    if scene.observed.is_active() {
        steps.push(scene.destroy());
    }
    steps.extend(scene.discard_saved());
    steps.extend(scene.drive());
    steps.push(Step::Storage(StorageStep::ReplaceRootDisk {
        guest: scene.id.guest,
        base_format: base.format,
        size: guest.disk_bytes,
        origin: Origin { rebuild, ..scene.new_origin() },
    }));
    power::begun(scene, steps, memory)
}
