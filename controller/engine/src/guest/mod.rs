//! One guest on its host: from a bound Server and what the host shows to a plan, and from what came of it to a status.
//!
//! ```text
//!   Server ──► validate ──► ValidatedServer ──┐
//!                                             ├─► decide ──► Decision { steps, goal, requeue } ──► (act)
//!   host ───► Observed, Memory, now ──────────┘                     │
//!                                                     Verdict ◄─────┘──► status, note
//! ```
//!
//! Nothing in here does IO or knows the time. A pass may be repeated, cut off and begun again at any point: every
//! decision is made from what is, and the little that only the process remembers ([`Memory`]) makes it kinder, never
//! more correct.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod config_drive;
pub mod decide;
pub mod failure;
pub mod memory;
pub mod metadata;
pub mod note;
pub mod observed;
pub mod snapshot;
pub mod status;
pub mod validate;
pub mod wish;

#[cfg(test)]
mod tests;

pub use decide::{Decision, Goal, Reboot, Settled, decide};
pub use failure::{Failure, FailureKind, Retry};
pub use memory::Memory;
pub use note::{Note, note};
pub use observed::{DiskFile, Files, Folder, HostContext, Observed};
pub use snapshot::Copying;
pub use status::{Verdict, node_part, status};
pub use validate::{identify, images, instance_data, validate};
pub use wish::{Guest, Identity, Unresolved, ValidatedServer, Wish};
