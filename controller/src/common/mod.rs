//! What both roles need: logs, signals, health, Events, backoff.

pub mod backoff;
pub mod events;
pub mod health;
pub mod logging;
pub mod shutdown;
