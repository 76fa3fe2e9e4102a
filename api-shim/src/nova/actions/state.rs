//! Which states an action needs. Pure; the words of the refusal are Nova's.

use ostler_crds::{
    Server,
    server::state::{self, TaskState, VmState},
};

use crate::{fault::Fault, nova::servers::view};

/// What an action needs.
pub struct Needs {
    /// Nova's name of the action.
    pub action: &'static str,
    /// States that it may start from.
    pub vm: &'static [VmState],
    /// Tasks that it may interrupt; none going on is always fine.
    pub tasks: &'static [TaskState],
}

/// 409 if the server is not in a state that fits.
pub fn check(server: &Server, needs: &Needs) -> Result<(), Fault> {
    let shown = state::shown(server);
    let refuse = |what: &str, word: &str| {
        let (action, id) = (needs.action, view::id(server));
        Err(Fault::conflict(format!("Cannot '{action}' instance {id} while it is in {what} {word}")))
    };
    match shown.task_state {
        Some(task) if !needs.tasks.contains(&task) => refuse("task_state", task.as_str()),
        _ if !needs.vm.contains(&shown.vm_state) => refuse("vm_state", shown.vm_state.as_str()),
        _ => Ok(()),
    }
}
