//! From what a pass came to, to what the node role says of a Server. Equal means: no write.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, find_condition,
    names::{condition, reason},
    server::{
        Fault, LastAction, ServerStatus,
        state::{ObservedPower, ServerState, TaskState, VmState},
    },
};
use ostler_hypervisor::{DomainState, ObservedDomain};

use super::{
    decide::{Reboot, Settled},
    failure::Failure,
    wish::Unresolved,
};

/// What a pass came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The guest is as wished.
    Settled(Settled),
    /// It takes time, and there is nothing new to tell.
    Waiting,
    /// The guest is off for a reboot.
    Rebooting(Reboot),
    /// The guest keeps stopping; its next start waits.
    Resting,
    /// Something is in the way.
    Failed(Failure),
}

/// The fields and conditions of a status that the node role writes.
pub fn node_part(status: &ServerStatus) -> ServerStatus {
    let ours = |c: &&Condition| [condition::READY, condition::RECONCILING, condition::STALLED].contains(&&*c.type_);
    ServerStatus {
        observed_generation: status.observed_generation,
        host_generation: status.host_generation,
        state: status.state.clone(),
        launched_at: status.launched_at.clone(),
        launched_on: status.launched_on.clone(),
        last_action: status.last_action.clone(),
        fault: status.fault.clone(),
        failed_snapshots: status.failed_snapshots.clone(),
        disk: status.disk.clone(),
        conditions: status.conditions.iter().filter(ours).cloned().collect(),
        ..ServerStatus::default()
    }
}

/// What the node role says of a Server after a pass. `previous` is the present status, `domain` what the hypervisor
/// showed last, `finished` a momentary wish that was done.
pub fn status(
    previous: &ServerStatus,
    generation: i64,
    verdict: &Verdict,
    domain: Option<&ObservedDomain>,
    finished: Option<&LastAction>,
    now: Timestamp,
) -> ServerStatus {
    let mut next = node_part(previous);
    next.last_action = finished.cloned().or(next.last_action);
    if domain.is_some_and(|d| d.state.is_active() || d.saved) {
        next.launched_at = next.launched_at.or(Some(Time(now)));
        next.launched_on.clone_from(&previous.host);
    }
    let builders = match verdict {
        Verdict::Waiting => return next,
        Verdict::Settled(Settled { vm, set_to_error: false, unresolved, disk }) => {
            next.state = Some(ServerState::new(*vm, None, power_of(domain)));
            next.disk.clone_from(disk);
            next.fault = None;
            // Whether this generation can be had is not known before the manager has looked.
            if *unresolved != Some(Unresolved::Awaited) {
                next.observed_generation = Some(generation);
            }
            match unresolved {
                None => settled(*vm),
                Some(Unresolved::Awaited) => in_progress(
                    "the guest is as it was; what changed in the spec is looked up".to_owned(),
                    reason::IN_PROGRESS,
                ),
                Some(Unresolved::Refused(why)) => {
                    ended(reason::CHANGE_REFUSED, format!("the guest is as it was: {why}"))
                }
            }
        }
        Verdict::Settled(Settled { set_to_error: true, disk, .. }) => {
            next.observed_generation = Some(generation);
            next.disk.clone_from(disk);
            next.state = Some(ServerState::new(VmState::Error, None, power_of(domain)));
            next.fault = previous.fault.clone().filter(|f| f.message == SET_TO_ERROR);
            next.fault.get_or_insert_with(|| Fault::new(500, SET_TO_ERROR, now));
            ended(reason::SET_TO_ERROR, SET_TO_ERROR.to_owned())
        }
        Verdict::Rebooting(reboot) => {
            next.state = Some(rebooting_state(previous, *reboot));
            in_progress(
                "the guest is off for a reboot and is about to be started again".to_owned(),
                reason::IN_PROGRESS,
            )
        }
        Verdict::Resting => {
            next.observed_generation = Some(generation);
            next.state = Some(ServerState::new(VmState::Stopped, Some(TaskState::PoweringOn), power_of(domain)));
            let message = "the guest stops by itself soon after each start, so its next start waits for up to five \
                           minutes; look at its console, or set spec.powerState to Stopped to keep it off";
            in_progress(message.to_owned(), reason::GUEST_KEEPS_STOPPING)
        }
        Verdict::Failed(failure) => {
            next.observed_generation = Some(generation);
            next.state = Some(failed_state(previous, failure, domain));
            next.fault = fault(previous, failure, now);
            failed(previous, failure)
        }
    };
    let build = |b: ConditionBuilder| b.build(generation_of(&next, generation), &previous.conditions, now);
    next.conditions = builders.into_iter().map(build).collect();
    next
}

fn generation_of(next: &ServerStatus, generation: i64) -> i64 {
    next.observed_generation.unwrap_or(generation)
}

/// What an administrator's ResetToError says.
pub(super) const SET_TO_ERROR: &str = "an administrator set this Server to ERROR by ResetToError; ResetToActive, any other action \
                            and any change of its spec end that";

fn settled(vm: VmState) -> Vec<ConditionBuilder> {
    let message = match vm {
        VmState::Stopped => "the guest is off, as spec.powerState asks",
        VmState::Paused => "the guest stands still, as spec.powerState asks",
        VmState::Suspended => "the guest's memory is saved on its host, as spec.powerState asks",
        VmState::ShelvedOffloaded => "nothing of the guest is on a host; it is kept as an image",
        VmState::Rescued => "the guest runs from a rescue disk, as spec.rescue asks",
        VmState::Resized => {
            "the guest has its new flavor: action ConfirmResize keeps it, spec.flavor set back reverts it"
        }
        VmState::Active | VmState::Building | VmState::Shelved | VmState::SoftDeleted | VmState::Error => {
            "the guest runs"
        }
    };
    vec![built(condition::READY, ConditionStatus::True, reason::AS_WISHED, message.to_owned())]
}

fn in_progress(message: String, reason: &'static str) -> Vec<ConditionBuilder> {
    vec![
        built(condition::READY, ConditionStatus::False, reason, message.clone()),
        built(condition::RECONCILING, ConditionStatus::True, reason, message),
    ]
}

fn failed(previous: &ServerStatus, failure: &Failure) -> Vec<ConditionBuilder> {
    let reason = failure.kind.reason();
    let message = same_failure(previous, failure).map_or_else(|| failure.message(), |c| c.message.clone());
    if failure.kind.is_stalled() { ended(reason, message) } else { in_progress(message, reason) }
}

fn ended(reason: &'static str, message: String) -> Vec<ConditionBuilder> {
    vec![
        built(condition::READY, ConditionStatus::False, reason, message.clone()),
        built(condition::STALLED, ConditionStatus::True, reason, message),
    ]
}

fn built(type_: &'static str, status: ConditionStatus, reason: &'static str, message: String) -> ConditionBuilder {
    ConditionBuilder { type_, status, reason, message }
}

/// The condition Ready that tells of this failure already. Details that differ from try to try are not told again.
fn same_failure<'a>(previous: &'a ServerStatus, failure: &Failure) -> Option<&'a Condition> {
    find_condition(&previous.conditions, condition::READY).filter(|c| {
        c.status == ConditionStatus::False.as_str()
            && c.reason == failure.kind.reason()
            && c.message.starts_with(failure.doing)
    })
}

fn fault(previous: &ServerStatus, failure: &Failure, now: Timestamp) -> Option<Fault> {
    match (failure.kind.fault_code(), &previous.fault) {
        (None, kept) => kept.clone(),
        (Some(_), Some(kept)) if same_failure(previous, failure).is_some() => Some(kept.clone()),
        (Some(code), _) => Some(Fault::new(code, failure.message(), now)),
    }
}

/// Whatever a Server is, it is that during a reboot; one that was built or broken is Active.
fn rebooting_state(previous: &ServerStatus, reboot: Reboot) -> ServerState {
    let vm_state = match previous.state.as_ref().map(|s| s.vm_state) {
        Some(VmState::Building | VmState::Error) | None => VmState::Active,
        Some(other) => other,
    };
    ServerState::new(vm_state, Some(reboot_task(reboot)), ObservedPower::Shutdown)
}

fn failed_state(previous: &ServerStatus, failure: &Failure, domain: Option<&ObservedDomain>) -> ServerState {
    let known = previous.state.clone();
    let power = match domain {
        Some(_) => power_of(domain),
        None => known.as_ref().map_or(ObservedPower::NoState, |s| s.power_state),
    };
    match (failure.kind.fault_code(), known) {
        (Some(_), _) => ServerState::new(VmState::Error, None, power),
        // What the manager reported before the host was chosen (scheduling) is over.
        (None, None) => ServerState::new(VmState::Building, Some(TaskState::Spawning), power),
        (None, Some(s)) if s.vm_state == VmState::Building => {
            ServerState::new(VmState::Building, Some(TaskState::Spawning), power)
        }
        (None, Some(s)) => ServerState::new(s.vm_state, s.task_state, power),
    }
}

fn power_of(domain: Option<&ObservedDomain>) -> ObservedPower {
    if domain.is_some_and(|d| d.saved) {
        return ObservedPower::Suspended;
    }
    match domain.map(|d| d.state) {
        None => ObservedPower::NoState,
        Some(DomainState::Running | DomainState::ShuttingDown) => ObservedPower::Running,
        Some(DomainState::Paused | DomainState::NoSpace) => ObservedPower::Paused,
        Some(DomainState::Off) => ObservedPower::Shutdown,
        Some(DomainState::Crashed) => ObservedPower::Crashed,
    }
}

fn reboot_task(reboot: Reboot) -> TaskState {
    match reboot {
        Reboot::Soft => TaskState::Rebooting,
        Reboot::Hard => TaskState::RebootingHard,
    }
}
