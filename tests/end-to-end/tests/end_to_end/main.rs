//! The demo as a test. Needs root.

mod demo;
mod named_cluster;
