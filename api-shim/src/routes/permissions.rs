//! The table of operations as a list of what each needs.

use axum::routing::MethodFilter;
use http::Method;

use super::all;
use crate::http::{Action, Handler, Microversion, Route};

/// A row: an operation and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Method.
    pub method: Method,
    /// The first path that it is served under.
    pub path: String,
    /// The action in the body, where there is one.
    pub action: Option<&'static str>,
    /// The permissions, the route's own first; nothing for what anybody may do, and `a token`.
    pub needs: Vec<String>,
    /// First microversion that has it.
    pub since: Microversion,
}

/// All operations, in the order of the table.
pub fn operations() -> Vec<Operation> {
    all().flat_map(of_route).collect()
}

fn of_route(route: &Route) -> Vec<Operation> {
    let operation = |needs: Vec<String>| Operation {
        method: method(route.method),
        path: route.paths().into_iter().next().unwrap_or_default(),
        action: None,
        needs,
        since: route.since,
    };
    match &route.handler {
        Handler::Open(_) => vec![operation(Vec::new())],
        Handler::Authenticated(_) => vec![operation(vec!["a token".to_owned()])],
        Handler::Authorized(rule, _) => {
            let rules = std::iter::once(rule).chain(route.needs);
            vec![operation(rules.map(ToString::to_string).collect())]
        }
        Handler::Actions(rows) => {
            let of_action = |row: &Action| Operation {
                action: Some(row.name),
                since: row.since,
                ..operation(vec![row.rule.to_string()])
            };
            rows.iter().map(of_action).collect()
        }
    }
}

fn method(filter: MethodFilter) -> Method {
    let known = [
        (MethodFilter::POST, Method::POST),
        (MethodFilter::PUT, Method::PUT),
        (MethodFilter::PATCH, Method::PATCH),
        (MethodFilter::DELETE, Method::DELETE),
    ];
    known.into_iter().find(|(f, _)| *f == filter).map_or(Method::GET, |(_, m)| m)
}
