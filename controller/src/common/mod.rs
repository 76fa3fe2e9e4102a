//! What both roles need: the API server's client, logs, signals, health, Events, backoff.

pub mod backoff;
pub mod client;
pub mod crash;
pub mod events;
pub mod health;
pub mod logging;
pub mod shutdown;
pub mod watch;
