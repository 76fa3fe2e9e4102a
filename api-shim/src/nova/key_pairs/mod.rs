//! Key pairs (spec C-44 … C-47): a user's own, within a project.

mod create;
mod delete;
mod key;
mod list;
mod owner;
mod show;
mod view;

pub use create::{FIELDS as CREATE, create};
pub use delete::delete;
pub use list::list;
pub use show::show;
