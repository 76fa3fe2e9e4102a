//! Flavors (spec C-24 … C-26).

mod list;
mod refuse;
mod show;
pub mod view;

pub use list::{brief, detail};
pub use refuse::refuse;
pub use show::{extra_spec, extra_specs, show};
