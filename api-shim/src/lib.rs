//! The OpenStack front door of Ostler. Every request walks one way, one module a stage:
//!
//! ```text
//!   http ─► authenticate ─► authorize ─► keystone│nova│glance│neutron ─► store ─► (view) ─► http
//!           token → Caller   Caller, Rule    translate: body → intent     kube     kind → document
//!                            → Permit        (wire.rs, convert.rs)                 (view.rs, shape/)
//! ```
//!
//! - [`routes`] is the one table of operations: method, path, handler, and the Kubernetes permission that it needs.
//!   [`http::router`] makes the axum router from it.
//! - [`authorize`] alone can make a [`authorize::Permit`]; functions of [`store`] demand one, so that a forgotten check
//!   does not compile.
//! - [`openapi`] describes that table to clients.
//! - [`shape`] holds what views share: documents are built as a superset of all microversions and then cut by a table of
//!   edits, so that a microversion is data and not a branch.
//!
//! The shim never talks to libvirt. It meets the controller only through the Kubernetes API, and through two streams:
//! console logs from the node role, image bytes to it ([`streams`]).

pub mod app;
pub mod authenticate;
pub mod authorize;
pub mod client;
pub mod commands;
pub mod config;
pub mod fault;
pub mod glance;
pub mod http;
pub mod keystone;
pub mod neutron;
pub mod nova;
pub mod observe;
pub mod openapi;
pub mod routes;
pub mod serve;
pub mod shape;
pub mod store;
pub mod streams;
