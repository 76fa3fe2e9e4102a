//! Which disk the guest runs from: its own, or a rescue disk with its own beside it.

use ostler_hypervisor::{Step, StorageStep};

use super::{
    super::{observed::Seen, wish::Power},
    Decision, Goal, off,
    scene::Scene,
};
use crate::guest::memory::Memory;

/// Takes off a guest that runs from the wrong disk; the standing wish starts it from the right one.
pub(super) fn decide(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let wrong = scene.observed.is_active() && !runs_from_the_right_disk(scene);
    let off = || off::steps(scene, memory).err().map(|decision| *decision);
    (wrong && scene.guest.power != Power::Stopped).then(off).flatten()
}

fn runs_from_the_right_disk(scene: &Scene<'_>) -> bool {
    match &scene.guest.rescue {
        Some(image) => runs_rescued(scene) && scene.observed.files.rescue_disk.as_ref() == Some(&image.sha256),
        None => !runs_rescued(scene),
    }
}

fn runs_rescued(scene: &Scene<'_>) -> bool {
    let boots = scene.observed.domain.as_ref().and_then(|d| d.boot_disk.as_ref());
    boots == Some(&scene.host.rescue_disk)
}

/// Has the rescue disk. One of another image goes first: nobody runs from it, as this is done before a start only.
pub(super) fn disk(scene: &Scene<'_>) -> Vec<Step> {
    let there = scene.observed.files.rescue_disk.as_ref();
    let Some(image) = scene.guest.rescue.as_ref().filter(|image| there != Some(&image.sha256)) else { return vec![] };
    let guest = scene.id.guest;
    let mut steps = Vec::new();
    if there.is_some() {
        steps.push(Step::Storage(StorageStep::RemoveRescueDisk { guest }));
    }
    steps.push(Step::Storage(StorageStep::CreateRescueDisk {
        guest,
        base: image.sha256.clone(),
        base_format: image.format,
        size: image.virtual_size,
    }));
    steps
}

/// Removes a rescue disk that is not wanted any more, once the guest is as wished.
pub(super) fn tidied(scene: &Scene<'_>, mut decision: Decision) -> Decision {
    let settled = matches!(decision.goal, Goal::Settled(_));
    let used = scene.seen() == Seen::Saved || (scene.observed.is_active() && runs_rescued(scene));
    if settled && scene.guest.rescue.is_none() && scene.observed.files.rescue_disk.is_some() && !used {
        decision.steps.push(Step::Storage(StorageStep::RemoveRescueDisk { guest: scene.id.guest }));
    }
    decision
}
