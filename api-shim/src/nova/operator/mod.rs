//! Where servers run: hosts as hypervisors, as services and by name, usage, and what is kept of old for its clients.

pub mod audit_log;
pub mod extensions;
mod host;
pub mod hosts;
pub mod hypervisors;
pub mod migrations;
mod period;
pub mod services;
pub mod usage;

pub use host::is_up;
