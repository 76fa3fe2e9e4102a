//! What an image's bytes are: their digests ([`digest`]) and whether they may be used ([`inspect`]).
//!
//! The shim (uploads), the manager (images from the web) and the node role (before a host uses one) share this crate,
//! so that the gate against hostile images stands in one place.

pub mod digest;
pub mod inspect;

pub use digest::{Digests, Hasher};
pub use inspect::{Inspected, Refusal, inspect};
