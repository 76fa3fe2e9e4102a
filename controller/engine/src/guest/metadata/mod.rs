//! What the metadata service answers: a pure function from a guest's data and a request (spec/imds.md §3 to §6).
//!
//! ```text
//!   Request ──► answer ──► Response          who asks is known by then, and never from the request
//!                 │
//!                 ├─ PUT /latest/api/token ──► token      sealed for this guest, with an end
//!                 ├─ /openstack/… ──► openstack           the very items of the config drive, by dated version
//!                 └─ all else ──► ec2                     EC2's tree, with Alibaba's names beside
//! ```

mod ec2;
mod openstack;
mod request;
#[cfg(test)]
mod tests;
pub mod token;

pub use self::request::{Caller, Method, Request, Response, answer};

/// Longest password that a guest may leave, in bytes (Nova's limit).
pub const MAX_PASSWORD: usize = 1020;

/// Something at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// A file: its media type and contents.
    File(&'static str, Vec<u8>),
    /// A folder: the names in it.
    Folder(Vec<String>),
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// A folder's listing: a name a line, as clients split it.
fn listing(names: &[String]) -> Vec<u8> {
    names.join("\n").into_bytes()
}
