//! The state that clients are shown, of servers that are there and of those that are gone.

use ostler_crds::{Server, server::state};

use crate::store::deleted_at;

/// Nova's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The status of the API.
    pub status: String,
    /// `vm_state`.
    pub vm: &'static str,
    /// `task_state`.
    pub task: Option<&'static str>,
    /// `power_state`.
    pub power: u8,
}

/// The state of a server.
pub fn shown(server: &Server) -> Shown {
    if deleted_at(&server.metadata).is_some() {
        return Shown { status: "DELETED".to_owned(), vm: "deleted", task: None, power: 0 };
    }
    let shown = state::shown(server);
    Shown {
        status: shown.status,
        vm: shown.vm_state.as_str(),
        task: shown.task_state.map(|t| t.as_str()),
        power: shown.power_state.number(),
    }
}
