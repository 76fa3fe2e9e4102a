//! Helpers for CEL rules, so that every refusal reads alike.

use kube::core::cel::{Message, Reason, Rule};

/// A field of the schema that this version does not act on: refused, never ignored.
///
/// `field` is the JSON name beside the rule's struct, `why` what the user should know or do instead.
pub fn not_served(field: &str, why: &str) -> Rule {
    Rule::new(format!("!has(self.{field})"))
        .message(Message::Message(format!("{field} is not served yet: {why}")))
        .reason(Reason::FieldValueForbidden)
        .field_path(format!(".{field}"))
}

/// An optional field that cannot change once the object exists.
pub fn immutable(field: &str, why: &str) -> Rule {
    Rule::new(format!(
        "has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
    ))
    .message(Message::Message(format!("{field} cannot be changed: {why}")))
    .reason(Reason::FieldValueForbidden)
    .field_path(format!(".{field}"))
}
