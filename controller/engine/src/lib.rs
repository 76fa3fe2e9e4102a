//! The decisions, and nothing else: no IO, no clock (`now` is an argument), no client.
//!
//! ```text
//!   manager:  resolve ─► schedule ─► allocate ─► (one write binds) ─► change, for as long as it lives
//!             silence, evacuation: Hosts that are not heard of
//!             shelve ─► (image, and leaving the host)
//!             snapshot ─► (orders to hosts, and words at Images)
//!   node:     guest::validate ─► guest::decide ─► (steps) ─► guest::status
//!             image_cache: what goes when images take too much room
//! ```

pub mod affinity;
pub mod allocate;
pub mod change;
pub mod evacuation;
pub mod guest;
pub mod image_cache;
pub mod placement;
pub mod port_rules;
pub mod quota;
pub mod resolve;
pub mod schedule;
pub mod shelve;
pub mod silence;
pub mod snapshot;
