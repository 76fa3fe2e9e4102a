//! Another flavor on the same host.
//!
//! The root disk's mark says which flavor it has the size of, and beside it lies, while a resize is open, the disk as it
//! was before, marked with both flavors. The kept disk is the truth: with it a revert is a renaming, without it there is
//! nothing to revert to, so a confirmation and a revert never race.
//!
//! ```text
//!   mark A ── status.flavor B, status.resize from A: off, keep A's disk, mark B, grow, define, start ──► mark B, kept A→B
//!   mark B, kept A→B ── ConfirmResize, AutoConfirm, or status.resize gone ── remove the kept disk ──► mark B
//!   mark B, kept A→B ── status.flavor A, status.resize gone: off, kept disk back, mark A, define, start ──► mark A
//!   any other kept disk is a copy that is not needed ── remove it
//! ```

use ostler_crds::server::ActionType;
use ostler_hypervisor::{KeptDisk, Origin, Step, StorageStep};

use super::{
    Decision, Goal, off, power,
    scene::{Scene, done, refused},
};
use crate::guest::memory::Memory;

/// What is to be done to the disk.
enum Work {
    /// Keep the disk as it is, and size it anew.
    Resize { kept: bool },
    /// Take the kept disk back.
    Revert,
    /// Size it anew; nothing is kept, as nothing was asked to be.
    Adopt,
}

pub(super) fn decide(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    confirm(scene, memory);
    let disk = scene.observed.files.root_disk.as_ref()?;
    let marked = disk.origin.as_ref().map(|o| o.flavor.as_str());
    let work = work(scene, marked)?;
    let mut steps = match off::steps(scene, memory) {
        Ok(steps) => steps,
        Err(decision) => return Some(*decision),
    };
    let guest = scene.id.guest;
    match &work {
        Work::Resize { kept } => {
            if !kept {
                let from = scene.guest.resize.as_ref().map(|r| r.from.clone()).unwrap_or_default();
                let kept =
                    KeptDisk { origin: Origin { flavor: from, ..origin(scene) }, to: scene.guest.flavor.clone() };
                steps.extend(stale(scene));
                steps.push(Step::Storage(StorageStep::KeepRootDisk { guest, kept }));
            }
            steps.push(mark(scene));
        }
        Work::Revert => {
            steps.push(Step::Storage(StorageStep::RestoreRootDisk { guest }));
            // The disk that comes back has a size that was not seen yet.
            return Some(Decision {
                requeue: Some(std::time::Duration::ZERO),
                ..Decision::new(steps, Goal::Waiting, memory.clone())
            });
        }
        Work::Adopt => steps.push(mark(scene)),
    }
    Some(power::begun(scene, steps, memory.clone()))
}

fn work(scene: &Scene<'_>, marked: Option<&str>) -> Option<Work> {
    let flavor = scene.guest.flavor.as_str();
    let from = scene.guest.resize.as_ref().map(|r| r.from.as_str());
    if let Some(kept) = &scene.observed.files.kept {
        let current = from == Some(kept.origin.flavor.as_str()) && kept.to == flavor;
        if current && marked != Some(flavor) {
            return Some(Work::Resize { kept: true });
        }
        if !current && marked == Some(kept.to.as_str()) && from.unwrap_or(flavor) == kept.origin.flavor {
            return Some(Work::Revert);
        }
    }
    match (from, marked) {
        (_, Some(marked)) if marked == flavor => None,
        (Some(_), _) => Some(Work::Resize { kept: false }),
        (None, Some(_)) => Some(Work::Adopt),
        (None, None) => None,
    }
}

/// Action ConfirmResize: what a revert needs is no longer needed.
fn confirm(scene: &Scene<'_>, memory: &mut Memory) {
    let Some(action) = scene.action(memory).filter(|a| a.type_ == ActionType::ConfirmResize) else { return };
    let marked = scene.observed.files.root_disk.as_ref().and_then(|d| d.origin.as_ref()).map(|o| &o.flavor);
    memory.finished = Some(match &scene.guest.resize {
        None => refused(action, "there is no resize to confirm"),
        Some(_) if marked != Some(&scene.guest.flavor) => {
            refused(action, "the guest does not have its new flavor yet: there is nothing to confirm")
        }
        Some(_) => done(action),
    });
}

/// Whether the resize is open still: its owner has to confirm or revert it.
pub(super) fn is_open(scene: &Scene<'_>, memory: &Memory) -> bool {
    let confirmed = || {
        let action = scene.guest.action.as_ref().filter(|a| a.type_ == ActionType::ConfirmResize);
        let finished = memory.finished.as_ref().filter(|f| f.succeeded);
        action.is_some_and(|a| finished.is_some_and(|f| f.id == a.id))
    };
    scene.guest.resize.as_ref().is_some_and(|r| !r.auto_confirm) && !confirmed()
}

/// Removes a kept disk that nobody can want back, once the guest is as wished.
pub(super) fn tidied(scene: &Scene<'_>, mut decision: Decision) -> Decision {
    if matches!(decision.goal, Goal::Settled(_)) && !is_open(scene, &decision.memory) {
        let keeps = |s: &Step| matches!(s, Step::Storage(StorageStep::KeepRootDisk { .. }));
        if decision.steps.iter().any(keeps) || scene.observed.files.kept.is_some() {
            decision.steps.push(remove(scene));
        }
    }
    decision
}

/// A copy of an earlier resize, which is in the way of this one's.
fn stale(scene: &Scene<'_>) -> Option<Step> {
    scene.observed.files.kept.is_some().then(|| remove(scene))
}

fn remove(scene: &Scene<'_>) -> Step {
    Step::Storage(StorageStep::RemoveKeptDisk { guest: scene.id.guest })
}

fn mark(scene: &Scene<'_>) -> Step {
    let origin = Origin { flavor: scene.guest.flavor.clone(), ..origin(scene) };
    Step::Storage(StorageStep::MarkRootDisk { guest: scene.id.guest, origin })
}

/// What the root disk was made from.
fn origin(scene: &Scene<'_>) -> Origin {
    let marked = scene.observed.files.root_disk.as_ref().and_then(|d| d.origin.clone());
    marked.unwrap_or_else(|| scene.new_origin())
}
