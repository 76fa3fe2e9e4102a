//! What needs the guest off, and its disk whole, takes it there first.

use std::time::Duration;

use ostler_hypervisor::Step;

use super::{
    super::{observed::Seen, wish::Power},
    Decision, Goal, power,
    scene::Scene,
};
use crate::guest::memory::Memory;

/// What is left to do before work on the disk of a guest that is off, or what takes it off.
pub(super) fn steps(scene: &Scene<'_>, memory: &Memory) -> Result<Vec<Step>, Box<Decision>> {
    match scene.seen() {
        Seen::Nothing | Seen::Off => Ok(scene.discard_saved()),
        Seen::Saved if scene.guest.power == Power::Stopped => Ok(scene.discard_saved()),
        // What it has in memory belongs on its disk.
        Seen::Saved => Err(Box::new(Decision {
            requeue: Some(Duration::ZERO),
            ..Decision::new(power::restored(scene), Goal::Waiting, memory.clone())
        })),
        Seen::Paused | Seen::Starved | Seen::Running | Seen::Ending => {
            Err(Box::new(scene.ask_off(memory.clone(), |_| Goal::Waiting)))
        }
    }
}
