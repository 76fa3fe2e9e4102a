//! A user as an administrator writes it. Pure.

use std::fmt;

use serde_json::{Map, Value};

use crate::{fault::Fault, http::query::truth, keystone::DOMAIN_ID};

/// Longest name, in characters.
const LONGEST: usize = 255;
/// Longest password, in bytes.
pub const LONGEST_PASSWORD: usize = 4096;
/// Largest set of what is kept besides, as JSON, in bytes; and most of them.
const ATTRIBUTES: (usize, usize) = (8192, 32);
/// What is shown of every user and is none of those.
const OWN: [&str; 9] =
    ["name", "password", "enabled", "default_project_id", "domain_id", "options", "id", "links", "password_expires_at"];

/// What a user is to be; what is not said stays.
#[derive(Default, PartialEq, Eq)]
pub struct Wish {
    /// Name.
    pub name: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Whether the user may come in.
    pub enabled: Option<bool>,
    /// Project of a token that names none; empty: none.
    pub default_project: Option<String>,
    /// Whatever else was said; `null` removes.
    pub attributes: Map<String, Value>,
}

impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wish").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Wish {
    /// Reads a body. No fault repeats what was sent.
    pub fn read(mut body: Map<String, Value>) -> Result<Self, Fault> {
        let mut text = |key: &str| match body.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Fault::invalid_field(&format!("user.{key}"), "It is not a string.")),
        };
        let (name, password) = (text("name")?, text("password")?);
        let (default_project, domain) = (text("default_project_id")?, text("domain_id")?);
        if domain.is_some_and(|d| d != DOMAIN_ID) {
            return Err(Fault::not_found("Could not find domain: there is one, default."));
        }
        let fits =
            |n: &String| !n.trim().is_empty() && n.chars().count() <= LONGEST && !n.chars().any(char::is_control);
        if name.as_ref().is_some_and(|n| !fits(n)) {
            return Err(Fault::invalid_field("user.name", format!("It must have 1 to {LONGEST} characters.")));
        }
        if password.as_ref().is_some_and(|p| p.is_empty() || p.len() > LONGEST_PASSWORD) {
            return Err(Fault::invalid_field("user.password", format!("It must have 1 to {LONGEST_PASSWORD} bytes.")));
        }
        let enabled = match body.remove("enabled") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(enabled)) => Some(enabled),
            Some(Value::String(word)) if truth(&word).is_some() => truth(&word),
            Some(_) => return Err(Fault::invalid_field("user.enabled", "It is not a boolean.")),
        };
        if body.remove("options").is_some_and(|o| o.as_object().is_none_or(|o| !o.is_empty())) {
            return Err(Fault::not_served("Options of users"));
        }
        body.retain(|key, _| !OWN.contains(&key.as_str()));
        if body.len() > ATTRIBUTES.1 || Value::Object(body.clone()).to_string().len() > ATTRIBUTES.0 {
            return Err(Fault::bad_request("There are too many attributes, or they are too long."));
        }
        Ok(Self { name, password, enabled, default_project, attributes: body })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Wish, u16> {
        let Value::Object(body) = body else { return Err(0) };
        Wish::read(body).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn what_keystone_does_not_know_is_kept_beside() {
        let wish = read(json!({"name": "ada", "password": "p", "email": "a@b", "domain_id": "default", "links": {}}));
        let wish = wish.unwrap();
        assert_eq!(Value::Object(wish.attributes), json!({"email": "a@b"}));
        assert_eq!((wish.name.as_deref(), wish.enabled), (Some("ada"), None));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_no_password_is_repeated() {
        for (body, status) in [
            (json!({"name": " "}), 400),
            (json!({"name": "a\nb"}), 400),
            (json!({"name": 7}), 400),
            (json!({"password": ""}), 400),
            (json!({"enabled": "perhaps"}), 400),
            (json!({"email": "x".repeat(9000)}), 400),
            (json!({"domain_id": "other"}), 404),
            (json!({"options": {"ignore_password_expiry": true}}), 501),
        ] {
            assert_eq!(read(body.clone()).map(drop), Err(status), "{body}");
        }
        let wish = read(json!({"name": "ada", "password": "tellnobody"})).unwrap();
        assert!(!format!("{wish:?}").contains("tellnobody"));
    }
}
