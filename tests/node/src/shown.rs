//! What a Server's status shows, in a word.

use ostler_crds::{Server, find_condition};

/// The state as Nova names it, and whether something goes on.
pub fn state(server: &Server) -> &str {
    server.status.as_ref().and_then(|s| s.state.as_ref()).map_or("", |s| s.status.as_str())
}

/// Reason of a condition.
pub fn condition_reason<'a>(server: &'a Server, type_: &str) -> Option<&'a str> {
    find_condition(&server.status.as_ref()?.conditions, type_).map(|c| c.reason.as_str())
}

/// Message of the condition Ready.
pub fn told(server: &Server) -> &str {
    let conditions = server.status.as_ref().map_or(&[][..], |s| &s.conditions);
    find_condition(conditions, "Ready").map_or("", |c| c.message.as_str())
}

/// Whether the momentary wish with this id was done.
pub fn has_done(server: &Server, action: &str) -> bool {
    let last = server.status.as_ref().and_then(|s| s.last_action.as_ref());
    last.is_some_and(|a| a.id == action && a.succeeded)
}
