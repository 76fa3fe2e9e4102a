//! OpenStack's own tests against real parts: a control plane with the chart, manager, shim, node role with a libvirtd of its
//! own and real guests.
//!
//! ```text
//!   settings ─► stack (starts the parts) ─► furnish (accounts, flavors, network, images)
//!                                              └► workspace (tempest.conf, accounts.yaml) ─► tempest ─► judge ─► verdict
//! ```
//!
//! A stack may be kept between runs: `conformance up` holds it and writes a [`kept::Kept`], `conformance run` finds it there.

pub mod accounts;
pub mod furnish;
pub mod judge;
pub mod kept;
pub mod lists;
pub mod settings;
pub mod skips;
pub mod stack;
pub mod tempest;
pub mod workspace;
