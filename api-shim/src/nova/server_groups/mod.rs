//! Server groups: `os-server-groups` (2.13, 2.15, 2.64), the kind ServerGroup. Members are not written down: they are the
//! servers that name the group.

pub mod create;
pub mod delete;
pub mod hints;
pub mod list;
pub mod show;
pub mod view;
pub mod wire;

pub use wire::FIELDS as CREATE;
