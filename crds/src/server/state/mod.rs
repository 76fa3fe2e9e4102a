//! The state of a Server as Nova names it, derived by pure functions (spec ids S-01 … S-17).
//!
//! The node role reports what it saw as `status.state`. A wish that came later is not in there yet, but a client that
//! was told 202 must see it at once: [`shown`] lays the open wishes over the report.
//!
//! ```text
//!            ┌───────┐ host, disk, start ┌────────┐  powerState: Stopped    ┌─────────┐
//!  create ─► │ BUILD ├──────────────────►│ ACTIVE │◄───────────────────────►│ SHUTOFF │
//!            └──┬────┘                   └┬─▲─┬─▲─┘  powerState: Running    └─────────┘
//!               │ no way on               │ │ │ │ powerState: Paused, Suspended, Shelved; rescue
//!            ┌──▼────┐          an action │ │ │ └──────────► PAUSED, SUSPENDED, SHELVED_OFFLOADED, RESCUE
//!            │ ERROR │  (REBOOT, REBUILD, │ │ │ flavor: RESIZE
//!            └───────┘          PASSWORD) └─┘ └────────────► VERIFY_RESIZE ── confirmed, or flavor set back ──► ACTIVE
//!
//!  every state ── delete ──► gone (404)
//! ```

mod shown;
mod words;

pub use shown::shown;
pub use words::{ObservedPower, TaskState, VmState};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const UNKNOWN: &str = "UNKNOWN";

/// Nova's three state fields and the status word that it derives from them.
// Atomic: the node role's report replaces the manager's as a whole, so that no task of the manager's lingers in it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct ServerState {
    /// The status word of the API, for example ACTIVE, BUILD, SHUTOFF, VERIFY_RESIZE or ERROR.
    pub status: String,
    /// `vm_state`.
    pub vm_state: VmState,
    /// `task_state`; absent when nothing goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_state: Option<TaskState>,
    /// `power_state`: what the hypervisor saw last.
    pub power_state: ObservedPower,
}

impl ServerState {
    /// The state of a guest whose host is not heard of (S-16).
    pub fn unknown(vm_state: VmState, power_state: ObservedPower) -> Self {
        Self { status: UNKNOWN.to_owned(), vm_state, task_state: None, power_state }
    }

    /// Whether the host of the guest is not heard of.
    pub fn is_unknown(&self) -> bool {
        self.status == UNKNOWN
    }

    /// The state with its status word.
    pub fn new(vm_state: VmState, task_state: Option<TaskState>, power_state: ObservedPower) -> Self {
        Self { status: status_word(vm_state, task_state).to_owned(), vm_state, task_state, power_state }
    }
}

/// Nova's status word (spec otc-ecs §6, compute-v2 §6.2; D-04: Nova's spellings).
pub fn status_word(vm_state: VmState, task_state: Option<TaskState>) -> &'static str {
    use TaskState as Task;
    match (vm_state, task_state) {
        (VmState::Active | VmState::Stopped | VmState::Error, Some(Task::Rebuilding)) => "REBUILD",
        (VmState::Error, _) => "ERROR",
        (VmState::Building, _) => "BUILD",
        (VmState::Active | VmState::Stopped, Some(Task::Rebooting)) => "REBOOT",
        (VmState::Active | VmState::Stopped | VmState::Paused | VmState::Suspended, Some(Task::RebootingHard)) => {
            "HARD_REBOOT"
        }
        (VmState::Active | VmState::Stopped, Some(Task::ResizePrep | Task::ResizeFinish)) => "RESIZE",
        (VmState::Active | VmState::Paused | VmState::Stopped, Some(Task::Migrating)) => "MIGRATING",
        (VmState::Active, Some(Task::UpdatingPassword)) => "PASSWORD",
        (VmState::Active, _) => "ACTIVE",
        (VmState::Stopped, _) => "SHUTOFF",
        (VmState::Paused, _) => "PAUSED",
        (VmState::Suspended, _) => "SUSPENDED",
        (VmState::Rescued, _) => "RESCUE",
        (VmState::Resized, Some(Task::ResizeReverting)) => "REVERT_RESIZE",
        (VmState::Resized, _) => "VERIFY_RESIZE",
        (VmState::Shelved, _) => "SHELVED",
        (VmState::ShelvedOffloaded, _) => "SHELVED_OFFLOADED",
        (VmState::SoftDeleted, _) => "SOFT_DELETED",
    }
}
