//! Events of a server: `GET /servers/{id}/os-instance-actions`. A [`record`] is written with the action itself, in the same
//! write, and kept in an annotation; [`view`] makes Nova's documents of it.

pub mod list;
pub mod record;
pub mod show;
pub mod view;
