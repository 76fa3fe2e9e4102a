//! The guest shall exist.

use std::time::Duration;

use jiff::Timestamp;
use ostler_crds::server::{ActionType, LastAction, ServerAction};
use ostler_hypervisor::{HypervisorStep, Step};

use super::{
    super::{
        failure::{Failure, FailureKind},
        memory::{self, LastStart, Memory, SHUTDOWN_DEADLINE, SHUTDOWN_REPEAT},
        observed::{HostContext, Observed, Seen},
        wish::{Guest, Identity, Power},
    },
    Decision, Goal, Reboot, prepare,
};

/// Says what to do for one guest that shall exist.
pub(super) struct Present<'a> {
    pub(super) id: &'a Identity,
    pub(super) guest: &'a Guest,
    pub(super) observed: &'a Observed,
    pub(super) host: &'a HostContext,
    pub(super) now: Timestamp,
}

impl Present<'_> {
    pub(super) fn decide(&self, foreign: Option<&'static str>, memory: &Memory) -> Decision {
        let mut memory = memory.clone();
        if let Some(failure) = self.obstacle(foreign) {
            return Decision { steps: vec![], goal: Goal::Blocked(failure), requeue: None, memory };
        }
        let action = self.guest.action.as_ref().filter(|a| memory.finished.as_ref().is_none_or(|f| f.id != a.id));
        let seen = self.observed.seen();
        let reboot = action.and_then(|a| Some((a, reboot(a.type_)?)));
        if let (Some(other), None) = (action, reboot) {
            memory.finished = Some(refused(other, "this action is not served yet"));
        }
        match (self.guest.power, seen, reboot) {
            (Power::Stopped, _, Some((action, _))) => {
                memory.finished = Some(refused(action, "spec.powerState is Stopped: there is nothing to reboot"));
                self.stopped(seen, memory)
            }
            (Power::Stopped, _, None) => self.stopped(seen, memory),
            (Power::Running, Seen::Off, Some((action, how))) if self.guest.launched => {
                memory.finished = Some(done(action));
                self.rebooting(how, vec![], memory)
            }
            (Power::Running, Seen::Nothing | Seen::Off, Some((action, _))) => {
                // A guest that is started for the first time, or anew, has no use for another start right after it.
                memory.finished = Some(done(action));
                self.start(memory)
            }
            (
                Power::Running,
                Seen::Paused | Seen::Starved | Seen::Running | Seen::Ending,
                Some((action, Reboot::Hard)),
            ) => {
                memory.finished = Some(done(action));
                self.rebooting(Reboot::Hard, vec![self.destroy()], memory)
            }
            (
                Power::Running,
                Seen::Paused | Seen::Starved | Seen::Running | Seen::Ending,
                Some((action, Reboot::Soft)),
            ) => self.ask_off(memory, |memory| {
                memory.finished = Some(done(action));
                Goal::Rebooting(Reboot::Soft)
            }),
            (Power::Running, Seen::Nothing, None) => self.start(memory),
            (Power::Running, Seen::Off | Seen::Paused, None) => self.start_again(memory),
            (Power::Running, Seen::Starved, None) => self.go_on(memory),
            (Power::Running, Seen::Ending, None) => waiting(vec![], memory, SHUTDOWN_REPEAT),
            (Power::Running, Seen::Running, None) => {
                // A request to shut down that was taken back must not shorten the deadline of a later one.
                memory.asked_off = None;
                self.settled(memory)
            }
        }
    }

    /// What no step can remove.
    fn obstacle(&self, foreign: Option<&'static str>) -> Option<Failure> {
        if let Some(what) = foreign {
            return Some(Failure::new(FailureKind::Foreign, "cannot touch the guest", what));
        }
        let ran = self.guest.launched || self.observed.domain.is_some();
        if ran && !self.observed.is_active() && !self.observed.files.root_disk {
            let doing = "cannot start the guest";
            return Some(Failure::new(FailureKind::DiskMissing, doing, "its root disk is gone from the host"));
        }
        let made = |name: &str| {
            let mut nics = self.observed.domain.iter().flat_map(|d| &d.nics);
            nics.any(|(network, _)| network == name)
        };
        let lost = self.guest.nics.iter().find(|n| n.network.is_none() && !made(&n.definition.network));
        lost.filter(|_| !self.observed.is_active()).map(|nic| {
            let cause = format!("the Network {:?} of spec.networks does not exist any more", nic.network_name);
            Failure::new(FailureKind::NetworkMissing, "cannot plug in the guest", cause)
        })
    }

    fn stopped(&self, seen: Seen, mut memory: Memory) -> Decision {
        match seen {
            Seen::Nothing | Seen::Off => {
                memory.asked_off = None;
                memory.last_start = None;
                let mut decision = self.settled(memory);
                if seen == Seen::Nothing {
                    decision.steps = self.prepared();
                }
                decision
            }
            Seen::Paused | Seen::Starved | Seen::Running | Seen::Ending => self.ask_off(memory, |memory| {
                memory.last_start = None;
                Goal::Settled
            }),
        }
    }

    /// Asks the guest to shut down, or powers it off once it had its time; `off` says what holds then.
    fn ask_off(&self, mut memory: Memory, off: impl FnOnce(&mut Memory) -> Goal) -> Decision {
        let asked = *memory.asked_off.get_or_insert(self.now);
        let waited = memory::since(asked, self.now);
        if waited >= SHUTDOWN_DEADLINE {
            memory.asked_off = None;
            let goal = off(&mut memory);
            let requeue = matches!(goal, Goal::Rebooting(_)).then_some(Duration::ZERO);
            return Decision { steps: vec![self.destroy()], goal, requeue, memory };
        }
        let ask = Step::Hypervisor(HypervisorStep::Shutdown(self.id.guest));
        waiting(vec![ask], memory, SHUTDOWN_REPEAT.min(SHUTDOWN_DEADLINE - waited))
    }

    fn rebooting(&self, how: Reboot, steps: Vec<Step>, mut memory: Memory) -> Decision {
        memory.asked_off = None;
        memory.last_start = None;
        Decision { steps, goal: Goal::Rebooting(how), requeue: Some(Duration::ZERO), memory }
    }

    /// As wished already, but for a definition that a crash left out.
    fn settled(&self, memory: Memory) -> Decision {
        let transient = self.observed.domain.as_ref().is_some_and(|d| !d.persistent);
        let steps = if transient { self.prepared() } else { vec![] };
        Decision { steps, goal: Goal::Settled, requeue: None, memory }
    }

    fn start(&self, mut memory: Memory) -> Decision {
        memory.asked_off = None;
        memory.last_start = Some(LastStart { at: self.now, quick_ends: 0 });
        self.started(memory)
    }

    /// Starts a guest that was there before, after a rest if it keeps stopping by itself.
    fn start_again(&self, mut memory: Memory) -> Decision {
        if memory.asked_off.is_some() {
            return self.start(memory);
        }
        let (earliest, start) = memory.next_start(self.now);
        if earliest > self.now {
            let rest = memory::since(self.now, earliest);
            return Decision { steps: vec![], goal: Goal::Resting, requeue: Some(rest), memory };
        }
        memory.last_start = Some(start);
        self.started(memory)
    }

    /// Lets a guest go on that stands still for want of space. Where there is still none it stands still again at once, so
    /// this waits as a start does.
    fn go_on(&self, mut memory: Memory) -> Decision {
        let cause = "its disk has to grow, and the host's file system is full";
        let goal = Goal::Blocked(Failure::new(FailureKind::DiskFull, "cannot let the guest run on", cause));
        let (earliest, start) = memory.next_start(self.now);
        if earliest > self.now {
            return Decision { steps: vec![], goal, requeue: Some(memory::since(self.now, earliest)), memory };
        }
        memory.last_start = Some(start);
        let steps = vec![Step::Hypervisor(HypervisorStep::Start(self.id.guest))];
        Decision { steps, goal, requeue: None, memory }
    }

    fn started(&self, memory: Memory) -> Decision {
        let mut steps = self.prepared();
        steps.push(Step::Hypervisor(HypervisorStep::Start(self.id.guest)));
        Decision { steps, goal: Goal::Settled, requeue: None, memory }
    }

    fn prepared(&self) -> Vec<Step> {
        prepare::steps(self.id, self.guest, &self.observed.files, self.host)
    }

    fn destroy(&self) -> Step {
        Step::Hypervisor(HypervisorStep::Destroy(self.id.guest))
    }
}

fn reboot(type_: ActionType) -> Option<Reboot> {
    match type_ {
        ActionType::RebootSoft => Some(Reboot::Soft),
        ActionType::RebootHard => Some(Reboot::Hard),
        ActionType::Rebuild
        | ActionType::ChangePassword
        | ActionType::ConfirmResize
        | ActionType::Migrate
        | ActionType::ResetToActive
        | ActionType::ResetToError => None,
    }
}

fn waiting(steps: Vec<Step>, memory: Memory, look_again: Duration) -> Decision {
    Decision { steps, goal: Goal::Waiting, requeue: Some(look_again), memory }
}

fn done(action: &ServerAction) -> LastAction {
    LastAction { id: action.id.clone(), type_: action.type_, succeeded: true, message: None }
}

fn refused(action: &ServerAction, why: &str) -> LastAction {
    LastAction { id: action.id.clone(), type_: action.type_, succeeded: false, message: Some(why.to_owned()) }
}
