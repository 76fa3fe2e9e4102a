//! Actions: operations that share one path and are told apart by the only key of the body (spec C-17 … C-23).

use serde_json::Value;

use super::{Answer, Inbound, Microversion};
use crate::{
    authorize::{Permit, Rule},
    fault::Fault,
    shape::Field,
};

/// A row of the table of actions.
pub struct Action {
    /// The key.
    pub name: &'static str,
    /// First microversion that has it.
    pub since: Microversion,
    /// First microversion that has it no more.
    pub until: Option<Microversion>,
    /// The permission that it needs.
    pub rule: Rule,
    /// The keys of its value, where they are checked.
    pub keys: Option<&'static [Field]>,
    /// What runs.
    pub run: fn(Inbound, Permit, Value) -> Answer,
}

impl Action {
    /// An action of all versions.
    pub const fn served(name: &'static str, rule: Rule, run: fn(Inbound, Permit, Value) -> Answer) -> Self {
        Self { name, since: Microversion::MIN, until: None, rule, keys: None, run }
    }
}

/// Finds the row for a body: exactly one key, known at `version`.
pub fn pick(rows: &'static [Action], body: Value, version: Microversion) -> Result<(&'static Action, Value), Fault> {
    let Value::Object(map) = body else {
        return Err(Fault::bad_request("Malformed request body: an object with one action is expected."));
    };
    let mut entries = map.into_iter();
    let (Some((name, argument)), None) = (entries.next(), entries.next()) else {
        return Err(Fault::bad_request("Exactly one action must be given."));
    };
    rows.iter()
        .find(|a| a.name == name && a.since <= version && a.until.is_none_or(|u| version < u))
        .map(|a| (a, argument))
        .ok_or_else(|| Fault::bad_request(format!("There is no such action: {}", crate::observe::clean(&name))))
}
