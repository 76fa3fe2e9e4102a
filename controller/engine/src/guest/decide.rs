//! What to do next for a guest.
//!
//! ```text
//!                      prepare, define, start                   ask off (again every 10 s), after 120 s destroy
//!   (nothing) ───────────────────────────────► Running ─────────────────────────────► Off        wish: Stopped
//!       │                                       │ ▲ │ ▲                                │
//!       │ prepare, define                       │ │ │ └──────────── start ─────────────┘         wish: Running
//!       └────────────► Off     wish: Stopped    │ │ │                      ▲
//!                                               │ │ │ RebootSoft: ask off, after 120 s destroy
//!                              pause ───────────┘ │ └ RebootHard: destroy, give saved memory up
//!                                │    start       │                        │
//!                                ▼  ──────────────┤                        └─► Off, action echoed ──► start
//!                              Paused             │ start (memory restored), unmark
//!                                │ mark, save     │
//!                                └──────────► Saved ── wish: Stopped ── unmark, discard ──► Off
//!
//!   another image, or Rebuild: fetch, destroy, give saved memory up, disk made anew and marked ──► Off ──► as wished
//!   another flavor, set back, or taken over: ask off ──► Off ── see `resize` ──► as wished
//!   rescue, or no more: ask off ──► Off ── define with the other disk ──► as wished
//!   wish Paused or Suspended from Off: start first.   wish Stopped from Paused: go on, then ask off.
//!   wish Shelved is Stopped until the guest's image is whole; then, whatever is wished: as Absent, but the Server stays
//!   every state ── wish: Absent ──► destroy, undefine, release addresses, remove files ──► (nothing), finalizer off
//!   somebody else's domain or folder ──► Blocked(Foreign); disk gone where a guest ran ──► Blocked(DiskMissing)
//!   Off with a mark and no saved memory ──► Blocked(SavedMemoryMissing), until wish Stopped or RebootHard
//! ```
//!
//! One file a wish; `present` has them in order. A guest that stands still for want of space is let go on in the same
//! rhythm, and says DiskFull meanwhile. A guest that stops by itself while `Running` is wished is started again, at first
//! at once, then with the kubelet's waits. A reboot is done once an id: the guest is taken off, that is echoed in the
//! status, and the start after it is nothing but the standing wish; so a crash at any point neither loses nor repeats it.

mod absent;
mod action;
mod obstacle;
mod off;
mod password;
mod power;
mod prepare;
mod present;
mod reboot;
mod rebuild;
mod rescue;
mod resize;
mod saved;
mod scene;
mod shelve;

use std::time::Duration;

use jiff::Timestamp;
use ostler_crds::server::{LastAction, RootDisk, state::VmState};
use ostler_hypervisor::Step;

use super::{
    failure::{Failure, FailureKind},
    memory::Memory,
    observed::HostContext,
    observed::Observed,
    wish::Unresolved,
    wish::ValidatedServer,
    wish::Wish,
};

/// A plan and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to do, in this order; nothing after a step that fails.
    pub steps: Vec<Step>,
    /// What holds once all steps are done.
    pub goal: Goal,
    /// When to look again, if nothing happens before; `None`: only when something happens.
    pub requeue: Option<Duration>,
    /// What to remember once all steps are done.
    pub memory: Memory,
    /// A momentary wish that is over even if a step fails, and how that is echoed then, but for what went wrong.
    pub attempt: Option<LastAction>,
}

impl Decision {
    fn new(steps: Vec<Step>, goal: Goal, memory: Memory) -> Self {
        Self { steps, goal, requeue: None, memory, attempt: None }
    }

    /// What a failed step means to a momentary wish: its echo, where it is not tried again.
    pub fn failed(&self, failure: &Failure) -> Option<LastAction> {
        // Nobody was asked yet.
        let attempt = self.attempt.clone().filter(|_| failure.kind != FailureKind::HypervisorUnreachable)?;
        let next_step = attempt.message.unwrap_or_default();
        Some(LastAction { message: Some(format!("{}; {next_step}", failure.in_short())), ..attempt })
    }
}

/// How a guest is rebooted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// The guest was asked to shut down.
    Soft,
    /// The guest was powered off.
    Hard,
}

/// A guest that is as wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What Nova calls it.
    pub vm: VmState,
    /// What its root disk is; `None`: it is off its host.
    pub disk: Option<RootDisk>,
    /// What of the wish is not looked up, so that the guest is as it was in this.
    pub unresolved: Option<Unresolved>,
    /// An administrator wants it to be shown as ERROR until something else is wished.
    pub set_to_error: bool,
}

/// What holds once all steps of a plan are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// The guest is as wished.
    Settled(Settled),
    /// The guest was asked to shut down; nothing to report yet.
    Waiting,
    /// The guest is off for a reboot, which is to be echoed before it is started again.
    Rebooting(Reboot),
    /// The guest keeps stopping; its next start waits.
    Resting,
    /// Something is in the way that no step can remove.
    Blocked(Failure),
    /// Nothing of the guest is left.
    Gone,
    /// Nothing of ours is left; what somebody else put in the guest's place was not touched.
    GoneButForeign,
}

/// What to do next for a guest, from what its host shows.
pub fn decide(
    server: &ValidatedServer,
    observed: &Observed,
    host: &HostContext,
    memory: &Memory,
    now: Timestamp,
) -> Decision {
    let foreign = observed.foreign(&server.identity.owner.uid);
    match &server.wish {
        Wish::Absent { reservations } => absent::decide(&server.identity, observed, reservations),
        Wish::Shelved { reservations } => shelve::decide(&server.identity, observed, reservations, foreign),
        Wish::Present(guest) => {
            let scene = scene::Scene { id: &server.identity, guest, observed, host, foreign, now };
            present::decide(&scene, memory)
        }
    }
}
