//! Images: one file an operation.

pub mod convert;
pub mod create;
pub mod delete;
pub mod file;
pub mod filter;
pub mod list;
pub mod patch;
pub mod show;
pub mod sort;
pub mod tags;
pub mod update;
pub mod view;
