//! Request bodies: which keys exist at which microversion, and typed reading that names the field.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};

use crate::{
    fault::Fault,
    http::{Microversion, query::truth},
};

/// A key that a body may have.
pub struct Field {
    name: &'static str,
    since: Microversion,
    until: Option<Microversion>,
}

impl Field {
    /// At every version.
    pub const fn new(name: &'static str) -> Self {
        Self { name, since: Microversion::MIN, until: None }
    }

    /// From 2.`version` on.
    pub const fn since(name: &'static str, version: u16) -> Self {
        Self { since: Microversion(version), ..Self::new(name) }
    }

    /// From 2.`version` on, and below 2.`until`.
    pub const fn between(name: &'static str, version: u16, until: u16) -> Self {
        Self { since: Microversion(version), until: Some(Microversion(until)), ..Self::new(name) }
    }

    /// Below 2.`version`.
    pub const fn until(name: &'static str, version: u16) -> Self {
        Self { until: Some(Microversion(version)), ..Self::new(name) }
    }

    /// The key.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The first version that has it, and the first that has it no more.
    pub fn versions(&self) -> (Microversion, Option<Microversion>) {
        (self.since, self.until)
    }
}

/// Refuses keys that `fields` does not have at `version`, in the words of Nova's schemas.
pub fn check(body: &Map<String, Value>, fields: &[Field], version: Microversion, path: &str) -> Result<(), Fault> {
    let known =
        |key: &str| fields.iter().any(|f| f.name == key && f.since <= version && f.until.is_none_or(|u| version < u));
    match body.keys().find(|k| !known(k)) {
        None => Ok(()),
        Some(key) => {
            let key = crate::observe::clean(key);
            Err(Fault::invalid_field(path, format!("Additional properties are not allowed ('{key}' was unexpected)")))
        }
    }
}

/// Reads a body into a type; a misfit names the field.
pub fn read<T: DeserializeOwned>(body: Map<String, Value>, path: &str) -> Result<T, Fault> {
    serde_path_to_error::deserialize(Value::Object(body)).map_err(|error| {
        let field = match error.path().to_string() {
            inner if inner == "." => path.to_owned(),
            inner => format!("{path}.{inner}"),
        };
        Fault::invalid_field(&field, crate::observe::clean(&error.into_inner().to_string()))
    })
}

/// A boolean, or a string that oslo takes for one.
pub fn lenient_bool<'de, D: Deserializer<'de>>(d: D) -> Result<Option<bool>, D::Error> {
    match Value::deserialize(d)? {
        Value::Null => Ok(None),
        Value::Bool(b) => Ok(Some(b)),
        Value::String(s) => truth(&s).map(Some).ok_or_else(|| D::Error::custom("it is not a boolean")),
        Value::Number(n) if n.as_u64().is_some_and(|n| n < 2) => Ok(Some(n.as_u64() == Some(1))),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(D::Error::custom("it is not a boolean")),
    }
}

/// An integer, or a string of digits.
pub fn lenient_int<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
    match Value::deserialize(d)? {
        Value::Null => Ok(None),
        Value::Number(n) => n.as_i64().map(Some).ok_or_else(|| D::Error::custom("it is not an integer")),
        Value::String(s) => s.trim().parse().map(Some).map_err(|_| D::Error::custom("it is not an integer")),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(D::Error::custom("it is not an integer")),
    }
}

/// `null` told apart from a missing key: `Some(None)`.
pub fn nullable<'de, D, T>(d: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(d).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[Field::new("name"), Field::since("tags", 52), Field::until("personality", 57)];

    fn verdict(body: Value, version: u16) -> bool {
        let Value::Object(map) = body else { return false };
        check(&map, FIELDS, Microversion(version), "server").is_ok()
    }

    #[test]
    fn a_key_is_known_at_its_versions_only() {
        assert!(verdict(json!({"name": 1, "personality": []}), 1));
        assert!(!verdict(json!({"tags": []}), 51));
        assert!(verdict(json!({"tags": []}), 52));
        assert!(!verdict(json!({"personality": []}), 57));
        assert!(!verdict(json!({"nonsense": 1}), 72));
    }

    #[test]
    fn a_misfit_names_its_field() {
        #[derive(Debug, Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "lenient_int")]
            _n: Option<i64>,
        }
        let Value::Object(map) = json!({"_n": "x"}) else { unreachable!() };
        let fault = read::<Body>(map, "server").unwrap_err();
        assert!(fault.message.contains("server._n"), "{}", fault.message);
    }
}
