//! The controller: one binary, two roles.
//!
//! ```text
//!            ┌────────────────── API server ───────────────────┐
//!            │ Servers, Flavors, Images, Networks, Hosts        │
//!            └──▲──────────────┬──────────────▲────────────┬────┘
//!         bind  │              │ all          │ status     │ status.host = me
//!       ┌───────┴──────────────▼──┐   ┌───────┴────────────▼─────┐
//!       │ manager (one leader)    │   │ node (one a machine)      │
//!       │ images, addresses, hosts│   │ observe → decide → act    │──► libvirt
//!       └─────────────────────────┘   └───────────────────────────┘
//! ```
//!
//! Both roles are level-based: every pass starts from what is, and a crash at any point is healed by the next pass.

pub mod command_line;
pub mod common;
pub mod image;
pub mod manager;
pub mod node;
