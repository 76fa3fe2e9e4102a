//! Images: one file an operation.

pub mod actions;
pub mod convert;
pub mod create;
pub mod delete;
pub mod file;
pub mod filter;
pub mod import;
pub mod list;
pub mod members;
pub mod patch;
pub mod show;
pub mod sort;
pub mod tags;
pub mod update;
pub mod view;
