//! Flavors (spec C-24 … C-26), their extra specs, and for administrators all about them.

pub mod access;
mod create;
mod delete;
pub mod extra_specs;
mod list;
mod show;
mod update;
pub mod view;
mod wire;

pub use create::create;
pub use delete::delete;
pub use list::{KEYS as LIST_KEYS, brief, detail};
pub use show::show;
pub use update::{FIELDS as UPDATE, update};
pub use wire::FIELDS as CREATE;
