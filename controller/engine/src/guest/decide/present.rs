//! The guest shall exist: the stages, in the order in which wishes are looked at. The first that has something to do
//! decides; the last always does.

use super::{Decision, action, obstacle, password, power, reboot, saved, scene::Scene};
use crate::guest::memory::Memory;

/// One wish: what it has to do, if anything. A wish that is refused or done without a step only notes that.
type Stage = fn(&Scene<'_>, &mut Memory) -> Option<Decision>;

const STAGES: [Stage; 5] = [obstacle::decide, action::decide, reboot::decide, saved::lost, password::decide];

pub(super) fn decide(scene: &Scene<'_>, memory: &Memory) -> Decision {
    let mut memory = memory.clone();
    let decision =
        STAGES.iter().find_map(|stage| stage(scene, &mut memory)).unwrap_or_else(|| power::decide(scene, memory));
    action::set_to_error(scene, saved::unmarked(scene, decision))
}
