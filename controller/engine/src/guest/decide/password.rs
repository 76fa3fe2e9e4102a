//! The administrator's password, set by the guest's agent.

use ostler_crds::server::ActionType;
use ostler_hypervisor::{HypervisorStep, Step};

use super::{
    super::{observed::Seen, wish::Power},
    Decision,
    scene::{Scene, done, refused},
};
use crate::guest::memory::Memory;

/// The account; Nova's for guests that name no other.
const ADMINISTRATOR: &str = "root";

pub(super) fn decide(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let action = scene.action(memory).filter(|a| a.type_ == ActionType::ChangePassword)?;
    let Some(hash) = scene.guest.password.clone() else {
        memory.finished = Some(refused(action, "spec.adminPassword is missing"));
        return None;
    };
    if scene.seen() != Seen::Running || scene.guest.power != Power::Running {
        memory.finished = Some(refused(action, "the guest does not run, so its agent cannot set a password"));
        return None;
    }
    let attempt = refused(action, "set it again, with a new id, when the guest has an agent that runs");
    memory.finished = Some(done(action));
    let step = HypervisorStep::SetPassword { guest: scene.id.guest, user: ADMINISTRATOR.to_owned(), hash };
    let settled = scene.settled(vec![Step::Hypervisor(step)], memory.clone());
    Some(Decision { attempt: Some(attempt), ..settled })
}
