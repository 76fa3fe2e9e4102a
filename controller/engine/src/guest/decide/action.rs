//! Momentary wishes that need no step, and those that are not served.

use ostler_crds::server::{ActionType, ServerAction};

use super::{
    Decision, Goal,
    scene::{Scene, done, refused},
};
use crate::guest::memory::Memory;

pub(super) fn decide(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let action = scene.action(memory)?;
    match action.type_ {
        ActionType::RebootSoft
        | ActionType::RebootHard
        | ActionType::Rebuild
        | ActionType::ConfirmResize
        | ActionType::ChangePassword
        | ActionType::ResetToError => {}
        // The state is what is seen, so there is nothing to set: what waits is tried at once.
        ActionType::ResetToActive => {
            memory.last_start = None;
            memory.finished = Some(done(action));
        }
        // The manager does it: a guest that came from a dead Host was never started here.
        ActionType::Evacuate if !scene.guest.launched => memory.finished = Some(done(action)),
        ActionType::Evacuate => {
            let why = "its Host is there: only Servers of a silent, fenced Host are evacuated";
            memory.finished = Some(refused(action, why));
        }
        ActionType::Migrate => memory.finished = Some(refused(action, "this action is not served yet")),
    }
    None
}

/// Shows the guest as ERROR, if that is wished and nothing else is left to do to it.
pub(super) fn set_to_error(scene: &Scene<'_>, mut decision: Decision) -> Decision {
    let open = scene.action(&decision.memory).filter(|a| a.type_ == ActionType::ResetToError).map(done);
    let echoed = |a: &ServerAction| decision.memory.finished.as_ref().is_some_and(|f| f.id == a.id);
    let again = scene.guest.action.as_ref().is_some_and(|a| a.type_ == ActionType::ResetToError && echoed(a));
    match &mut decision.goal {
        Goal::Settled(settled) => settled.set_to_error = open.is_some() || again || scene.guest.set_to_error,
        // It is shown as ERROR already.
        Goal::Blocked(_) => {}
        Goal::Waiting | Goal::Rebooting(_) | Goal::Resting | Goal::Gone | Goal::GoneButForeign => return decision,
    }
    decision.memory.finished = open.or(decision.memory.finished);
    decision
}
