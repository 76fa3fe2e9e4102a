//! What a stage looks at, and the pieces of plans that stages share.

use std::time::Duration;

use jiff::Timestamp;
use ostler_crds::server::{LastAction, RootDisk, ServerAction, state::VmState};
use ostler_hypervisor::{HypervisorStep, Origin, Step, StorageStep};

use super::{
    super::{
        memory::{self, Memory, SHUTDOWN_DEADLINE, SHUTDOWN_REPEAT},
        observed::{HostContext, Observed, Seen},
        wish::{Guest, Identity, Power},
    },
    Decision, Goal, Settled, prepare, resize,
};

/// One guest that shall exist, and its host, now.
pub(super) struct Scene<'a> {
    pub(super) id: &'a Identity,
    pub(super) guest: &'a Guest,
    pub(super) observed: &'a Observed,
    pub(super) host: &'a HostContext,
    pub(super) foreign: Option<&'static str>,
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    pub(super) fn seen(&self) -> Seen {
        self.observed.seen()
    }

    /// The momentary wish, unless it was done and only the echo is still on its way.
    pub(super) fn action(&self, memory: &Memory) -> Option<&ServerAction> {
        self.guest.action.as_ref().filter(|a| memory.finished.as_ref().is_none_or(|f| f.id != a.id))
    }

    /// All that a start needs, up to the definition.
    pub(super) fn prepared(&self) -> Vec<Step> {
        prepare::steps(self)
    }

    /// Images that are not in the cache yet, for a root disk that is made anew.
    pub(super) fn fetched(&self) -> Vec<Step> {
        prepare::fetches(self, true)
    }

    /// The config drive, written anew.
    pub(super) fn drive(&self) -> Option<Step> {
        let files = self.guest.drive.as_ref()?.files(&self.host.zone);
        Some(Step::Storage(StorageStep::WriteConfigDrive { guest: self.id.guest, files }))
    }

    /// The mark of a root disk that is made now. A disk that came back from the shelf is still a disk of the Server's image:
    /// its base alone is another.
    pub(super) fn new_origin(&self) -> Origin {
        let (image, flavor) = (self.guest.image.clone(), self.guest.flavor.clone());
        Origin { image, sha256: self.guest.base.sha256.clone(), flavor, rebuild: None }
    }

    pub(super) fn start(&self) -> Step {
        Step::Hypervisor(HypervisorStep::Start(self.id.guest))
    }

    pub(super) fn destroy(&self) -> Step {
        Step::Hypervisor(HypervisorStep::Destroy(self.id.guest))
    }

    pub(super) fn pause(&self) -> Step {
        Step::Hypervisor(HypervisorStep::Pause(self.id.guest))
    }

    /// The mark comes first: memory that was to be saved and is not there was lost, and that is never passed over.
    pub(super) fn save(&self) -> [Step; 2] {
        [
            Step::Storage(StorageStep::MarkSaved { guest: self.id.guest }),
            Step::Hypervisor(HypervisorStep::Save(self.id.guest)),
        ]
    }

    pub(super) fn unmark(&self) -> Step {
        Step::Storage(StorageStep::UnmarkSaved { guest: self.id.guest })
    }

    /// Gives saved memory up. The mark goes first: memory without a mark is still restored, a mark without memory is an
    /// obstacle.
    pub(super) fn discard_saved(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.observed.files.saved_mark {
            steps.push(self.unmark());
        }
        if self.seen() == Seen::Saved {
            steps.push(Step::Hypervisor(HypervisorStep::DiscardSaved(self.id.guest)));
        }
        steps
    }

    /// Asks the guest to shut down, or powers it off once it had its time; `off` says what holds then.
    pub(super) fn ask_off(&self, mut memory: Memory, off: impl FnOnce(&mut Memory) -> Goal) -> Decision {
        let asked = *memory.asked_off.get_or_insert(self.now);
        let waited = memory::since(asked, self.now);
        if waited >= SHUTDOWN_DEADLINE {
            memory.asked_off = None;
            let goal = off(&mut memory);
            let requeue = matches!(goal, Goal::Rebooting(_) | Goal::Waiting).then_some(Duration::ZERO);
            return Decision { requeue, ..Decision::new(vec![self.destroy()], goal, memory) };
        }
        let ask = Step::Hypervisor(HypervisorStep::Shutdown(self.id.guest));
        // One that stands still hears nothing.
        let steps = if self.seen() == Seen::Paused { vec![self.start(), ask] } else { vec![ask] };
        waiting(steps, memory, SHUTDOWN_REPEAT.min(SHUTDOWN_DEADLINE - waited))
    }

    /// Settled once `steps` are done.
    pub(super) fn settled(&self, steps: Vec<Step>, memory: Memory) -> Decision {
        let (image, flavor) = (self.guest.image.clone(), self.guest.flavor.clone());
        let settled = Settled {
            vm: self.vm_state(&memory),
            disk: Some(RootDisk { image, flavor }),
            set_to_error: false,
            unresolved: self.guest.unresolved.clone(),
        };
        Decision::new(steps, Goal::Settled(settled), memory)
    }

    fn vm_state(&self, memory: &Memory) -> VmState {
        match self.guest.power {
            _ if resize::is_open(self, memory) => VmState::Resized,
            Power::Running if self.guest.rescue.is_some() => VmState::Rescued,
            Power::Running => VmState::Active,
            Power::Stopped => VmState::Stopped,
            Power::Paused => VmState::Paused,
            Power::Suspended => VmState::Suspended,
        }
    }
}

pub(super) fn waiting(steps: Vec<Step>, memory: Memory, look_again: Duration) -> Decision {
    Decision { requeue: Some(look_again), ..Decision::new(steps, Goal::Waiting, memory) }
}

pub(super) fn done(action: &ServerAction) -> LastAction {
    LastAction { id: action.id.clone(), type_: action.type_, succeeded: true, message: None }
}

pub(super) fn refused(action: &ServerAction, why: impl Into<String>) -> LastAction {
    LastAction { id: action.id.clone(), type_: action.type_, succeeded: false, message: Some(why.into()) }
}
