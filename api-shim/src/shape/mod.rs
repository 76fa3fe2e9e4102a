//! What views share: times, links, and the cut of a document to a microversion.

pub mod edits;
pub mod fields;
pub mod links;
pub mod time;

pub use edits::{Edit, at_version};
pub use fields::Field;
