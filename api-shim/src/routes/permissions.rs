//! The table of operations as a document: docs/permissions.md has these columns, and what tests found for each kind of user.

use http::Method;

use super::all;
use crate::http::{Action, Handler, Microversion, Route, method};

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

impl Operation {
    /// The first columns of docs/permissions.md.
    pub fn cells(&self) -> [String; 3] {
        let path = match self.action {
            Some(action) => format!("{}: {action}", self.path),
            None => self.path.clone(),
        };
        let needs = if self.needs.is_empty() { "nothing".to_owned() } else { self.needs.join(", ") };
        [self.method.to_string(), path, needs]
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Written anew by the walk of tests/clients: `OSTLER_WRITE_PERMISSIONS=1 cargo test -p ostler-tests-clients every_route`.
    #[test]
    fn docs_permissions_has_every_operation_and_what_it_needs() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
        let text = std::fs::read_to_string(file).unwrap();
        let rows = text.lines().filter(|l| l.starts_with("| ")).skip(1);
        let documented: Vec<String> = rows.map(|l| l.split(" | ").take(3).collect::<Vec<_>>().join(" | ")).collect();
        let served: Vec<String> = operations().iter().map(|o| format!("| {}", o.cells().join(" | "))).collect();
        assert_eq!(documented, served, "docs/permissions.md is not of this table of operations");
    }
}
