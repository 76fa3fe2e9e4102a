//! A project as an administrator writes it. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{fault::Fault, keystone::DOMAIN_ID, shape::fields, store::projects::Project};

/// Longest name and tag, in characters.
const LONGEST: usize = 64;
const LONGEST_TAG: usize = 255;
/// Longest description, in characters.
const LONGEST_DESCRIPTION: usize = 4096;
/// Most tags of a project.
pub const MOST_TAGS: usize = 80;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    tags: Option<Value>,
    #[serde(default)]
    domain_id: Option<String>,
    #[serde(default)]
    parent_id: Option<String>,
    #[serde(default)]
    is_domain: Option<bool>,
    /// Keystone's options of a project (`immutable`) are not served.
    #[serde(default)]
    options: Option<Map<String, Value>>,
}

/// What a project is to be; what is not said stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Name.
    pub name: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    tags: Option<Vec<String>>,
}

impl Wish {
    /// Reads a body.
    pub fn read(body: &Map<String, Value>) -> Result<Self, Fault> {
        let body: Body = fields::read(body.clone(), "project")?;
        if body.domain_id.as_deref().is_some_and(|d| d != DOMAIN_ID) {
            return Err(Fault::not_found("Could not find domain: there is one, default."));
        }
        if body.is_domain == Some(true) {
            return Err(Fault::not_served("Making domains"));
        }
        if body.parent_id.as_deref().is_some_and(|p| p != DOMAIN_ID) {
            return Err(Fault::not_served("A project within a project"));
        }
        if body.options.is_some_and(|o| !o.is_empty()) {
            return Err(Fault::not_served("Options of projects"));
        }
        if body.name.as_ref().is_some_and(|n| !fits(n, LONGEST)) {
            return Err(Fault::invalid_field("project.name", format!("It must have 1 to {LONGEST} characters.")));
        }
        if body.description.as_ref().is_some_and(|d| d.chars().count() > LONGEST_DESCRIPTION) {
            return Err(Fault::invalid_field("project.description", "It is too long."));
        }
        let tags = body.tags.as_ref().map(tags).transpose()?;
        Ok(Self { name: body.name, description: body.description, enabled: body.enabled, tags })
    }

    /// 400 if there is no name.
    pub fn named(self) -> Result<Self, Fault> {
        if self.name.is_some() { Ok(self) } else { Err(Fault::bad_request("'name' is a required property")) }
    }

    /// Writes it over a project.
    pub fn onto(self, project: &mut Project) {
        project.name = self.name.unwrap_or_else(|| std::mem::take(&mut project.name));
        project.description = self.description.unwrap_or_else(|| std::mem::take(&mut project.description));
        project.enabled = self.enabled.unwrap_or(project.enabled);
        project.tags = self.tags.unwrap_or_else(|| std::mem::take(&mut project.tags));
    }
}

fn fits(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control)
}

/// A tag, or 400.
pub fn tag(text: &str) -> Result<String, Fault> {
    if fits(text, LONGEST_TAG) && !text.contains([',', '/']) {
        return Ok(text.to_owned());
    }
    Err(Fault::bad_request(format!("A tag has 1 to {LONGEST_TAG} characters, and neither ',' nor '/'.")))
}

/// A list of tags, or 400.
pub fn tags(value: &Value) -> Result<Vec<String>, Fault> {
    let given = value.as_array().filter(|t| t.len() <= MOST_TAGS);
    let given = given.ok_or_else(|| Fault::bad_request(format!("tags must be a list of at most {MOST_TAGS}.")))?;
    let mut tags: Vec<String> = Vec::new();
    for item in given {
        let tag = tag(item.as_str().unwrap_or_default())?;
        if tags.contains(&tag) {
            return Err(Fault::bad_request("tags must not name one twice."));
        }
        tags.push(tag);
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Wish, u16> {
        let Value::Object(body) = body else { return Err(0) };
        Wish::read(&body).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn what_is_not_said_stays() {
        let mut project = Project {
            id: "dev".into(),
            name: "Dev".into(),
            description: "old".into(),
            enabled: true,
            tags: vec!["a".into()],
        };
        read(json!({"description": "new", "enabled": false})).unwrap().onto(&mut project);
        assert_eq!((project.name.as_str(), project.description.as_str(), project.enabled), ("Dev", "new", false));
        assert_eq!(project.tags, ["a"]);
    }

    #[test]
    fn what_is_not_served_or_does_not_fit_is_refused() {
        for (body, status) in [
            (json!({"name": ""}), 400),
            (json!({"name": "x".repeat(65)}), 400),
            (json!({"name": "a", "tags": ["x", "x"]}), 400),
            (json!({"name": "a", "tags": ["x,y"]}), 400),
            (json!({"name": "a", "colour": "grey"}), 400),
            (json!({"name": "a", "enabled": "yes"}), 400),
            (json!({"name": "a", "domain_id": "other"}), 404),
            (json!({"name": "a", "parent_id": "other"}), 501),
            (json!({"name": "a", "is_domain": true}), 501),
            (json!({"name": "a", "options": {"immutable": true}}), 501),
        ] {
            assert_eq!(read(body.clone()), Err(status), "{body}");
        }
        assert!(read(json!({"enabled": true})).unwrap().named().is_err());
    }
}
