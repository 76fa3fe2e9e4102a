//! What stood for Glance in Nova: images up to 2.35, their metadata up to 2.38 (spec C-27 … C-36).

mod delete;
mod filter;
mod list;
pub mod metadata;
mod show;
mod view;

pub use delete::delete;
pub use list::{brief, detail};
pub use show::show;
