//! Saved memory is never passed over: a guest whose memory was to be saved, and is not there, is not booted in silence.
//!
//! The mark in the guest's folder says that its memory was saved, or was about to be; it outlives every process.

use ostler_hypervisor::{HypervisorStep, Step};

use super::{
    super::{
        failure::{Failure, FailureKind},
        observed::Seen,
        wish::Power,
    },
    Decision, Goal,
    scene::Scene,
};
use crate::guest::memory::Memory;

/// Stops what would boot a guest whose saved memory is lost. Its owner says that it may go: Stopped, or RebootHard.
pub(super) fn lost(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let gone = scene.observed.files.saved_mark && matches!(scene.seen(), Seen::Off | Seen::Nothing);
    (gone && scene.guest.power != Power::Stopped).then(|| {
        let cause = "the memory that was saved when it was suspended is gone from the host";
        let failure = Failure::new(FailureKind::SavedMemoryMissing, "cannot let the guest go on", cause);
        Decision::new(vec![], Goal::Blocked(failure), memory.clone())
    })
}

/// Takes the mark off a guest that runs, before anything else is done to it.
pub(super) fn unmarked(scene: &Scene<'_>, mut decision: Decision) -> Decision {
    let saves = |s: &Step| matches!(s, Step::Hypervisor(HypervisorStep::Save(_)));
    let ours = !matches!(decision.goal, Goal::Blocked(_));
    if scene.observed.files.saved_mark && scene.observed.is_active() && ours && !decision.steps.iter().any(saves) {
        decision.steps.insert(0, scene.unmark());
    }
    decision
}
