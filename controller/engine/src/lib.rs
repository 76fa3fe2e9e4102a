//! The decisions, and nothing else: no IO, no clock (`now` is an argument), no client.
//!
//! ```text
//!   manager:  resolve ─► schedule ─► allocate ─► (one write binds)
//!             silence, evacuation: Hosts that are not heard of
//!             shelve ─► (image, and leaving the host)
//!             snapshot ─► (orders to hosts, and words at Images)
//!   node:     guest::validate ─► guest::decide ─► (steps) ─► guest::status
//! ```

pub mod affinity;
pub mod allocate;
pub mod evacuation;
pub mod guest;
pub mod placement;
pub mod quota;
pub mod resolve;
pub mod schedule;
pub mod shelve;
pub mod silence;
pub mod snapshot;
