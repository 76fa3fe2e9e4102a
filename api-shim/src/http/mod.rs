//! The rim: from an HTTP request to a handler of [`crate::routes`] and back.

pub mod action;
pub mod base_url;
pub mod bounded;
pub mod inbound;
pub mod microversion;
pub mod page;
pub mod query;
pub mod reply;
pub mod route;
pub mod router;
pub mod service;
mod unserved;

pub use action::Action;
pub use base_url::BaseUrl;
pub use inbound::Inbound;
pub use microversion::Microversion;
pub use query::Query;
pub use reply::Reply;
pub use route::{Answer, Handler, Place, Route, method};
pub use service::Service;
