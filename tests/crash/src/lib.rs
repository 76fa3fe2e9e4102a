//! Crashes on purpose: the node role, or the manager, ends itself after the first, the second, the third … step or write
//! of an operation (controller/src/common/crash.rs), and the one that is started after it must bring the Server to the
//! same end, with the disk that it must have, with nothing left over, and without a touch to another guest.
//!
//! ```text
//!   fresh Server ─► role killed ─► wish ─► role that ends after its Nth point ─► role as released ─► same end? N + 1
//! ```

pub mod host;
pub mod operation;
mod roles;
pub mod stage;
pub mod tally;

pub use operation::{OPERATIONS, Operation, Victim};
pub use stage::Stage;
pub use tally::Tally;
