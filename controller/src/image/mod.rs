//! Getting an image's bytes: from a web server with a digest, or from the shim.
//!
//! The manager fetches each image once to check it; every host fetches what it runs. Both go through [`fetch`], so that
//! the guards (addresses, size, digest, inspection) are the same.

mod address_guard;
pub mod fetch;

pub use address_guard::AddressGuard;
pub use fetch::{Args, FetchError, Fetched, Fetcher, Wanted};
