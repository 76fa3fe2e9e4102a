//! What the body of an action may be, by version. Unknown keys are refused at all versions, as Nova does. Pure.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    fault::Fault,
    http::Microversion,
    shape::{Field, fields},
};

/// What the value under the action's name may be.
pub enum Body {
    /// Nova looks at no value.
    Anything,
    /// `null`.
    Null,
    /// An object with these keys.
    Object(&'static [Field]),
    /// The same, or `null`.
    ObjectOrNull(&'static [Field]),
    /// Anything below 2.N, from there on an object with these keys, or `null`.
    ObjectOrNullFrom(u16, &'static [Field]),
}

impl Body {
    /// The keys that it may have; `None` where it is no object, or anything.
    pub const fn keys(&self) -> Option<&'static [Field]> {
        match self {
            Self::Anything | Self::Null => None,
            Self::Object(known) | Self::ObjectOrNull(known) | Self::ObjectOrNullFrom(_, known) => Some(known),
        }
    }

    /// 400 that names the field if `argument` does not fit.
    pub fn check(&self, argument: &Value, name: &str, version: Microversion) -> Result<(), Fault> {
        let wrong = |kinds: &str| Fault::invalid_field(name, format!("It is not of type {kinds}"));
        let (known, nullable) = match self {
            Self::Anything => return Ok(()),
            Self::ObjectOrNullFrom(from, _) if version < Microversion(*from) => return Ok(()),
            Self::Null if argument.is_null() => return Ok(()),
            Self::Null => return Err(wrong("'null'")),
            Self::Object(known) => (known, false),
            Self::ObjectOrNull(known) | Self::ObjectOrNullFrom(_, known) => (known, true),
        };
        match argument {
            Value::Object(map) => fields::check(map, known, version, name),
            Value::Null if nullable => Ok(()),
            _ if nullable => Err(wrong("'object', 'null'")),
            _ => Err(wrong("'object'")),
        }
    }
}

/// Reads a checked body into a type; what is no object reads as an empty one.
pub fn read<T: DeserializeOwned>(argument: Value, name: &str) -> Result<T, Fault> {
    let map = if let Value::Object(map) = argument { map } else { Map::new() };
    fields::read(map, name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[Field::new("a"), Field::since("b", 54)];

    fn verdict(body: &Body, argument: Value, version: u16) -> bool {
        body.check(&argument, "x", Microversion(version)).is_ok()
    }

    #[test]
    fn each_kind_of_body_takes_what_it_says() {
        assert!(verdict(&Body::Anything, json!([1]), 1));
        assert!(verdict(&Body::Null, json!(null), 1) && !verdict(&Body::Null, json!({}), 1));
        let object = Body::Object(FIELDS);
        assert!(verdict(&object, json!({"a": 1}), 1) && !verdict(&object, json!(null), 1));
        assert!(!verdict(&object, json!({"b": 1}), 53) && verdict(&object, json!({"b": 1}), 54));
        assert!(!verdict(&object, json!({"c": 1}), 96));
        let or_null = Body::ObjectOrNull(FIELDS);
        assert!(verdict(&or_null, json!(null), 1) && !verdict(&or_null, json!("x"), 1));
        let from = Body::ObjectOrNullFrom(73, FIELDS);
        assert!(verdict(&from, json!("x"), 72) && !verdict(&from, json!("x"), 73) && verdict(&from, json!({}), 73));
    }
}
