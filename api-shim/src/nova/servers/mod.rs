//! Servers: one file an operation; `wire` is what comes in, `convert` makes intent of it, `view` makes documents.

pub mod addresses;
pub mod block_devices;
pub mod convert;
pub mod create;
pub mod delete;
pub mod facts;
pub mod filter;
pub mod list;
pub mod metadata;
pub mod networks;
pub mod notes;
pub mod resolve;
pub mod show;
pub mod shown;
pub mod sort;
pub mod tags;
pub mod text;
pub mod update;
pub mod view;
pub mod wire;
