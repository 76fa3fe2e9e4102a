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
pub use list::{brief, detail};
pub use show::show;
pub use update::update;
