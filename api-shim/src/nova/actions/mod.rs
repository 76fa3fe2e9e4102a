//! Actions on a server: `POST /servers/{id}/action`. Conflicts are decided by pure functions over what clients are shown.

pub mod console;
pub mod power;
pub mod reboot;
mod state;
