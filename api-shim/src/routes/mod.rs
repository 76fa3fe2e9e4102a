//! The table of operations: method, path, handler and the permission that it needs. The router, and later documents and
//! ready-made roles, are made from it.

mod compute;
mod compute_actions;
mod compute_catalog;
mod compute_images;
mod compute_operator;
mod compute_server_parts;
pub mod iam;
mod identity;
mod image;
mod network;
pub mod permissions;

use crate::http::Route;

/// All rows.
pub fn all() -> impl Iterator<Item = &'static Route> {
    [
        identity::ROUTES,
        compute::ROUTES,
        compute_catalog::ROUTES,
        compute_images::ROUTES,
        compute_operator::ROUTES,
        compute_server_parts::ROUTES,
        image::ROUTES,
        network::ROUTES,
    ]
    .into_iter()
    .flatten()
}

/// A handler that anybody may call.
macro_rules! open {
    ($handler:path) => {
        $crate::http::Handler::Open(|inbound| Box::pin($handler(inbound)))
    };
}

/// A handler that needs a valid token.
macro_rules! authenticated {
    ($handler:path) => {
        $crate::http::Handler::Authenticated(|inbound, caller| Box::pin($handler(inbound, caller)))
    };
}

/// A handler that needs a permission.
macro_rules! authorized {
    ($rule:expr, $handler:path) => {
        $crate::http::Handler::Authorized($rule, |inbound, permit| Box::pin($handler(inbound, permit)))
    };
}

/// A served action.
macro_rules! action {
    ($name:expr, $rule:expr, $handler:path) => {
        $crate::http::Action::served($name, $rule, |inbound, permit, argument| {
            Box::pin($handler(inbound, permit, argument))
        })
    };
}

/// A row of the table of actions on servers, with what runs.
macro_rules! row {
    ($row:path, $handler:path) => {
        $row.served(|inbound, permit, argument| Box::pin($handler(&$row, inbound, permit, argument)))
    };
}

use {action, authenticated, authorized, open, row};

#[cfg(test)]
mod tests;
