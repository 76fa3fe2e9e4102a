//! The state of a Server as Nova names it, derived by pure functions (spec ids S-01 … S-17; those that this version can
//! reach are ACTIVE, BUILD, ERROR, HARD_REBOOT, REBOOT, SHUTOFF, UNKNOWN and DELETED).
//!
//! The node role reports what it saw as `status.state`. A wish that came later is not in there yet, but a client that
//! was told 202 must see it at once: [`shown`] lays the open wishes over the report.
//!
//! ```text
//!            ┌────────┐ host, disk, start ┌────────┐  powerState=Stopped   ┌─────────┐
//!  create ─► │ BUILD  ├──────────────────►│ ACTIVE │◄─────────────────────►│ SHUTOFF │
//!            └──┬─────┘                   └─┬────▲─┘  powerState=Running   └─────────┘
//!               │ no way on                 │    │ done
//!            ┌──▼────┐                 ┌────▼────┴───────┐
//!            │ ERROR │                 │ (HARD_)REBOOT   │      every state ── delete ──► gone (404)
//!            └───────┘                 └─────────────────┘
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActionType, PowerState, Server};

/// Nova's three state fields and the status word that it derives from them.
// Atomic: the node role's report replaces the manager's as a whole, so that no task of the manager's lingers in it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct ServerState {
    /// The status word of the API: ACTIVE, BUILD, ERROR, HARD_REBOOT, REBOOT, SHUTOFF, UNKNOWN.
    pub status: String,
    /// `vm_state`.
    pub vm_state: VmState,
    /// `task_state`; absent when nothing goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_state: Option<TaskState>,
    /// `power_state`: what the hypervisor saw last.
    pub power_state: ObservedPower,
}

/// Nova's `vm_state`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum VmState {
    /// Never ran yet.
    Building,
    /// Runs.
    Active,
    /// Shut down.
    Stopped,
    /// Cannot go on by itself.
    Error,
}

/// Nova's `task_state`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Looking for a host.
    Scheduling,
    /// Disk and config drive are being made.
    Spawning,
    /// Being started.
    #[serde(rename = "powering-on")]
    PoweringOn,
    /// Being shut down.
    #[serde(rename = "powering-off")]
    PoweringOff,
    /// Soft reboot.
    Rebooting,
    /// Hard reboot.
    #[serde(rename = "rebooting_hard")]
    RebootingHard,
    /// Being removed.
    Deleting,
}

impl TaskState {
    /// Nova's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduling => "scheduling",
            Self::Spawning => "spawning",
            Self::PoweringOn => "powering-on",
            Self::PoweringOff => "powering-off",
            Self::Rebooting => "rebooting",
            Self::RebootingHard => "rebooting_hard",
            Self::Deleting => "deleting",
        }
    }
}

impl VmState {
    /// Nova's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Active => "active",
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }
}

/// What the hypervisor saw last; Nova's `power_state`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObservedPower {
    /// Nothing is known.
    #[default]
    NoState,
    /// It runs.
    Running,
    /// It stands still.
    Paused,
    /// It is off.
    Shutdown,
    /// QEMU or the guest died.
    Crashed,
}

impl ObservedPower {
    /// Nova's number.
    pub fn number(self) -> u8 {
        match self {
            Self::NoState => 0,
            Self::Running => 1,
            Self::Paused => 3,
            Self::Shutdown => 4,
            Self::Crashed => 6,
        }
    }
}

impl ServerState {
    /// The state with its status word.
    pub fn new(vm_state: VmState, task_state: Option<TaskState>, power_state: ObservedPower) -> Self {
        let status = match (vm_state, task_state) {
            (VmState::Error, _) => "ERROR",
            (VmState::Building, _) => "BUILD",
            (VmState::Active, Some(TaskState::Rebooting)) => "REBOOT",
            (VmState::Active | VmState::Stopped, Some(TaskState::RebootingHard)) => "HARD_REBOOT",
            (VmState::Active, _) => "ACTIVE",
            (VmState::Stopped, Some(TaskState::Rebooting)) => "REBOOT",
            (VmState::Stopped, _) => "SHUTOFF",
        };
        Self { status: status.to_owned(), vm_state, task_state, power_state }
    }
}

/// What a client is shown: the last report with the wishes that came since laid over it.
pub fn shown(server: &Server) -> ServerState {
    let status = server.status.as_ref();
    let reported = status
        .and_then(|s| s.state.clone())
        .unwrap_or_else(|| ServerState::new(VmState::Building, Some(first_task(server)), ObservedPower::NoState));
    if server.metadata.deletion_timestamp.is_some() {
        return ServerState::new(reported.vm_state, Some(TaskState::Deleting), reported.power_state);
    }
    let open_action = server
        .spec
        .action
        .as_ref()
        .filter(|a| status.and_then(|s| s.last_action.as_ref()).is_none_or(|done| done.id != a.id));
    let task = match (reported.vm_state, server.spec.power_state, open_action.map(|a| a.type_)) {
        (VmState::Building | VmState::Error, _, _) => reported.task_state,
        (_, PowerState::Running, Some(ActionType::RebootSoft)) => Some(TaskState::Rebooting),
        (_, PowerState::Running, Some(ActionType::RebootHard)) => Some(TaskState::RebootingHard),
        (VmState::Active, PowerState::Stopped, _) => Some(TaskState::PoweringOff),
        (VmState::Stopped, PowerState::Running, None) => Some(TaskState::PoweringOn),
        (VmState::Active | VmState::Stopped, _, _) => reported.task_state,
    };
    ServerState::new(reported.vm_state, task, reported.power_state)
}

fn first_task(server: &Server) -> TaskState {
    match server.status.as_ref().and_then(|s| s.host.as_ref()) {
        Some(_) => TaskState::Spawning,
        None => TaskState::Scheduling,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{ServerAction, ServerSpec, ServerStatus};

    fn server(vm: VmState, wish: PowerState) -> Server {
        let mut s = Server::new("a", ServerSpec { power_state: wish, ..Default::default() });
        s.status = Some(ServerStatus {
            state: Some(ServerState::new(vm, None, ObservedPower::Running)),
            ..Default::default()
        });
        s
    }

    #[test]
    fn a_server_without_a_report_is_building() {
        let s = Server::new("a", ServerSpec::default());
        assert_eq!(shown(&s).status, "BUILD");
        assert_eq!(shown(&s).task_state, Some(TaskState::Scheduling));
    }

    #[test]
    fn a_wish_to_stop_shows_before_it_is_done() {
        let s = shown(&server(VmState::Active, PowerState::Stopped));
        assert_eq!((s.status.as_str(), s.task_state), ("ACTIVE", Some(TaskState::PoweringOff)));
    }

    #[test]
    fn an_open_reboot_shows_and_a_done_one_does_not() {
        let mut s = server(VmState::Active, PowerState::Running);
        s.spec.action = Some(ServerAction { id: "1".into(), type_: ActionType::RebootHard });
        assert_eq!(shown(&s).status, "HARD_REBOOT");
        let done =
            crate::server::LastAction { id: "1".into(), type_: ActionType::RebootHard, succeeded: true, message: None };
        if let Some(status) = s.status.as_mut() {
            status.last_action = Some(done);
        }
        assert_eq!(shown(&s).status, "ACTIVE");
    }
}
