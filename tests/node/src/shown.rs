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
