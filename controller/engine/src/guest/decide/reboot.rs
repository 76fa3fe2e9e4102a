//! Reboots: the guest is taken off, that is echoed, and the standing wish starts it again.

use std::time::Duration;

use ostler_crds::server::ActionType;
use ostler_hypervisor::Step;

use super::{
    super::{observed::Seen, wish::Power},
    Decision, Goal, Reboot,
    scene::{Scene, done, refused},
};
use crate::guest::memory::Memory;

pub(super) fn decide(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let action = scene.action(memory)?;
    let how = how(action.type_)?;
    let seen = scene.seen();
    let cannot = match (scene.guest.power, how, seen) {
        (Power::Stopped, _, _) => Some("spec.powerState is Stopped: there is nothing to reboot"),
        (Power::Paused | Power::Suspended, Reboot::Soft, _) | (_, Reboot::Soft, Seen::Saved) => {
            Some("the guest stands still and hears nothing: RebootHard works, or set spec.powerState to Running")
        }
        (Power::Running | Power::Paused | Power::Suspended, _, _) => None,
    };
    if let Some(why) = cannot {
        memory.finished = Some(refused(action, why));
        return None;
    }
    match (seen, how) {
        (Seen::Off, _) if scene.guest.launched || scene.observed.files.saved_mark => {
            memory.finished = Some(done(action));
            Some(rebooting(how, scene.discard_saved(), memory))
        }
        (Seen::Nothing | Seen::Off, _) => {
            // A guest that is started for the first time, or anew, has no use for another start right after it.
            memory.finished = Some(done(action));
            memory.asked_off = None;
            memory.last_start = None;
            None
        }
        (Seen::Saved, _) => {
            memory.finished = Some(done(action));
            Some(rebooting(how, scene.discard_saved(), memory))
        }
        (Seen::Paused | Seen::Starved | Seen::Running | Seen::Ending, Reboot::Hard) => {
            memory.finished = Some(done(action));
            Some(rebooting(how, vec![scene.destroy()], memory))
        }
        (Seen::Paused | Seen::Starved | Seen::Running | Seen::Ending, Reboot::Soft) => {
            Some(scene.ask_off(memory.clone(), |memory| {
                memory.finished = Some(done(action));
                Goal::Rebooting(Reboot::Soft)
            }))
        }
    }
}

fn rebooting(how: Reboot, steps: Vec<Step>, memory: &mut Memory) -> Decision {
    memory.asked_off = None;
    memory.last_start = None;
    Decision { requeue: Some(Duration::ZERO), ..Decision::new(steps, Goal::Rebooting(how), memory.clone()) }
}

fn how(type_: ActionType) -> Option<Reboot> {
    match type_ {
        ActionType::RebootSoft => Some(Reboot::Soft),
        ActionType::RebootHard => Some(Reboot::Hard),
        ActionType::Rebuild
        | ActionType::ChangePassword
        | ActionType::ConfirmResize
        | ActionType::Migrate
        | ActionType::Evacuate
        | ActionType::ResetToActive
        | ActionType::ResetToError => None,
    }
}
