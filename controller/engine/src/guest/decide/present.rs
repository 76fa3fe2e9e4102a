//! The guest shall exist: the stages, in the order in which wishes are looked at. The first that has something to do
//! decides; the last always does. What is left over is tidied up once the guest is as wished.

use super::{Decision, action, obstacle, password, power, reboot, rebuild, rescue, resize, saved, scene::Scene};
use crate::guest::memory::Memory;

/// One wish: what it has to do, if anything. A wish that is refused or done without a step only notes that.
type Stage = fn(&Scene<'_>, &mut Memory) -> Option<Decision>;

const STAGES: [Stage; 9] = [
    obstacle::untouchable,
    action::decide,
    rebuild::decide,
    obstacle::diskless,
    reboot::decide,
    saved::lost,
    resize::decide,
    rescue::decide,
    password::decide,
];

/// What is added to the plan, whoever made it.
type Tidying = fn(&Scene<'_>, Decision) -> Decision;

const TIDYING: [Tidying; 4] = [resize::tidied, rescue::tidied, saved::unmarked, action::set_to_error];

pub(super) fn decide(scene: &Scene<'_>, memory: &Memory) -> Decision {
    let mut memory = memory.clone();
    let decided = STAGES.iter().find_map(|stage| stage(scene, &mut memory));
    let decision = decided.unwrap_or_else(|| power::decide(scene, memory));
    TIDYING.iter().fold(decision, |decision, tidy| tidy(scene, decision))
}
