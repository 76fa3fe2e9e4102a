//! The Events that tell a guest's story: one a change, none while nothing changes.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::{
    ConditionStatus, find_condition,
    names::{condition, reason},
    server::{
        ServerStatus,
        state::{TaskState, VmState},
    },
};
use ostler_hypervisor::{HypervisorStep, Step, StorageStep};

use super::{decide::Settled, memory::since, status::Verdict, wish::Guest};

/// An Event to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether somebody should look at it.
    pub warning: bool,
    /// One of [`reason`].
    pub reason: String,
    /// What was done, one word.
    pub action: &'static str,
    /// The sentence.
    pub text: String,
}

/// The Event that a pass is worth: `steps` were done, `previous` became `next`.
pub fn note(
    guest: &Guest,
    created: Option<&Time>,
    steps: &[Step],
    verdict: &Verdict,
    previous: &ServerStatus,
    next: &ServerStatus,
    now: Timestamp,
) -> Option<Note> {
    let started = steps.iter().any(|s| matches!(s, Step::Hypervisor(HypervisorStep::Start(_))));
    let rebuilt = steps.iter().any(|s| matches!(s, Step::Storage(StorageStep::ReplaceRootDisk { .. })));
    let was = previous.state.as_ref().map(|s| s.vm_state);
    match verdict {
        Verdict::Settled(_) if started && previous.launched_at.is_none() => {
            Some(normal(reason::STARTED, "Start", first_start(guest, created, steps, now)))
        }
        Verdict::Settled(Settled { set_to_error: true, .. } | Settled { unresolved: Some(_), .. }) => {
            warning_if_new(previous, next).filter(|n| n.reason != reason::IN_PROGRESS)
        }
        Verdict::Settled(_) if rebuilt => Some(normal(
            reason::REBUILT,
            "Rebuild",
            format!("The root disk was made anew from image {}; id and addresses stay", guest.base.name),
        )),
        Verdict::Settled(Settled { vm, .. }) if was != Some(*vm) && was.is_some() => stood_still(*vm, was),
        Verdict::Settled(_) if started => again(previous).map(|t| normal(reason::STARTED, "Start", t.into())),
        Verdict::Settled(_) | Verdict::Waiting => None,
        Verdict::Rebooting(_) => {
            Some(normal(reason::REBOOTED, "Reboot", "The guest was taken off for a reboot and is started again".into()))
        }
        Verdict::Resting | Verdict::Failed(_) => warning_if_new(previous, next),
    }
}

/// The Event of a guest that is gone.
pub fn removed(foreign: bool) -> Note {
    if foreign {
        let text =
            "A domain or folder of somebody else has this Server's id on the host; it was left as it is".to_owned();
        return Note { warning: true, reason: reason::FOREIGN_DOMAIN.to_owned(), action: "Remove", text };
    }
    normal(reason::REMOVED, "Remove", "The guest, its disks and its addresses are gone from the host".to_owned())
}

fn normal(reason: &'static str, action: &'static str, text: String) -> Note {
    Note { warning: false, reason: reason.to_owned(), action, text }
}

/// A warning, once for each change of the reason that the user sees.
pub fn warning_if_new(previous: &ServerStatus, next: &ServerStatus) -> Option<Note> {
    let ready = |s| find_condition(s, condition::READY);
    let now = ready(&next.conditions).filter(|c| c.status == ConditionStatus::False.as_str())?;
    let told = ready(&previous.conditions).is_some_and(|c| c.reason == now.reason && c.message == now.message);
    (!told).then(|| Note { warning: true, reason: now.reason.clone(), action: "Run", text: now.message.clone() })
}

fn first_start(guest: &Guest, created: Option<&Time>, steps: &[Step], now: Timestamp) -> String {
    let fetched = steps.iter().any(|s| matches!(s, Step::Storage(StorageStep::FetchImage { .. })));
    let seconds = created.map_or(0.0, |t| since(t.0, now).as_secs_f64());
    let addresses: Vec<String> = guest.nics.iter().map(|n| n.address().to_string()).collect();
    let at = if addresses.is_empty() { "no network".to_owned() } else { addresses.join(", ") };
    format!(
        "The guest was started {seconds:.1} s after its creation: image {} ({}), root disk {:.1} GiB, {at}",
        guest.base.name,
        if fetched { "fetched" } else { "from the host's cache" },
        guest.disk_bytes as f64 / f64::from(1 << 30),
    )
}

/// The Event of a guest that came to another state.
fn stood_still(vm: VmState, was: Option<VmState>) -> Option<Note> {
    let told = |reason, action, text: &str| Some(normal(reason, action, text.to_owned()));
    match (vm, was) {
        (VmState::Stopped, _) => told(reason::STOPPED, "Stop", "The guest is off, as spec.powerState asks"),
        (VmState::Paused, _) => told(reason::PAUSED, "Pause", "The guest stands still, as spec.powerState asks"),
        (VmState::Suspended, _) => {
            told(reason::SUSPENDED, "Suspend", "The guest's memory was saved, as spec.powerState asks")
        }
        (VmState::Active, Some(VmState::Paused)) => told(reason::STARTED, "Unpause", "The guest goes on"),
        (VmState::Active, Some(VmState::Suspended)) => {
            told(reason::STARTED, "Resume", "The guest goes on from its saved memory")
        }
        (VmState::Active, Some(VmState::Resized)) => {
            told(reason::RESIZED, "Resize", "The resize is over: confirmed, or the guest is as it was before")
        }
        (VmState::Active, _) => told(reason::STARTED, "Start", "The guest was started again"),
        (VmState::Rescued, _) => {
            told(reason::RESCUED, "Rescue", "The guest runs from a rescue disk, with its own as second disk")
        }
        (VmState::Resized, _) => {
            told(reason::RESIZED, "Resize", "The guest has its new flavor; it is to be confirmed or reverted")
        }
        (
            VmState::Building | VmState::Shelved | VmState::ShelvedOffloaded | VmState::SoftDeleted | VmState::Error,
            _,
        ) => None,
    }
}

fn again(previous: &ServerStatus) -> Option<&'static str> {
    let state = previous.state.as_ref();
    match state.map(|s| (s.vm_state, s.task_state)) {
        Some((VmState::Active, Some(TaskState::Rebooting | TaskState::RebootingHard))) => None,
        Some((VmState::Active, _)) => {
            Some("The guest had stopped by itself and was started again, because spec.powerState is Running")
        }
        Some(_) | None => Some("The guest was started again"),
    }
}
