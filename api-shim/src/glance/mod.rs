//! Glance v2: images, their bytes, and the schemas that clients read.

pub mod images;
pub mod schemas;
pub mod versions;
