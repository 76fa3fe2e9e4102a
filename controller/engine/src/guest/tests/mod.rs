//! The engine of one guest against a small model of a host.

mod catalog;
mod disks;
mod model;
mod plans;
mod properties;
mod reports;
mod shelving;
mod wishes;
