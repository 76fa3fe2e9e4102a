//! What to do next for a guest.
//!
//! ```text
//!                     prepare, define, start                    ask off (again every 10 s), after 120 s destroy
//!   (nothing) ───────────────────────────────► Running ─────────────────────────────► Off      wish: Stopped
//!       │                                        │  ▲                                  │
//!       │ prepare, define                        │  └──────────── start ───────────────┘        wish: Running
//!       └────────────► Off      wish: Stopped    │                  ▲
//!                                                │ RebootSoft: ask off, after 120 s destroy
//!                                                └ RebootHard: destroy ──► Off, action echoed ──► start
//!
//!   every state ── wish: Absent ──► destroy, undefine, release addresses, remove files ──► (nothing), finalizer off
//!   somebody else's domain or folder ──► Blocked(Foreign); disk gone where a guest ran ──► Blocked(DiskMissing)
//! ```
//!
//! A guest that stands still for want of space is let go on in the same rhythm, and says DiskFull meanwhile.
//! A guest that stops by itself while `Running` is wished is started again, at first at once, then with the kubelet's
//! waits. A reboot is done once an id: the guest is taken off, that is echoed in the status, and the start after it is
//! nothing but the standing wish; so a crash at any point neither loses nor repeats it.

mod absent;
mod prepare;
mod present;

use std::time::Duration;

use jiff::Timestamp;
use ostler_hypervisor::Step;

use super::{
    failure::Failure, memory::Memory, observed::HostContext, observed::Observed, wish::ValidatedServer, wish::Wish,
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
}

/// How a guest is rebooted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// The guest was asked to shut down.
    Soft,
    /// The guest was powered off.
    Hard,
}

/// What holds once all steps of a plan are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// The guest is as wished.
    Settled,
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
        Wish::Absent { reservations } => absent::decide(&server.identity, observed, reservations, foreign),
        Wish::Present(guest) => {
            present::Present { id: &server.identity, guest, observed, host, now }.decide(foreign, memory)
        }
    }
}
