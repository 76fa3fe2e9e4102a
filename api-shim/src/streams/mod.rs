//! Streams between the shim and the node roles: the only thing that they tell each other past the Kubernetes API. Each
//! side proves itself with its ServiceAccount's token.

pub mod console;
pub mod images;
pub mod snapshots;
pub mod tls;
