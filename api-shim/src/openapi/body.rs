//! Request bodies: from the same tables that the handlers check them with, where there is one.

use serde_json::{Map, Value, json};

use crate::{
    glance::images::patch,
    http::{Action, Handler, Route, Service, method},
    nova::{flavors, key_pairs, quotas, server_groups, servers},
    shape::Field,
};

/// A body that is an object with one key, whose value is an object with known keys.
type Wrapped = (&'static str, &'static [Field]);

/// Compute's, by method and path below the version.
const WRAPPED: &[(&str, &str, Wrapped)] = &[
    ("POST", "/servers", ("server", servers::wire::CREATE)),
    ("PUT", "/servers/{id}", ("server", servers::wire::UPDATE)),
    ("POST", "/flavors", ("flavor", flavors::CREATE)),
    ("PUT", "/flavors/{id}", ("flavor", flavors::UPDATE)),
    ("POST", "/os-keypairs", ("keypair", key_pairs::CREATE)),
    ("POST", "/os-server-groups", ("server_group", server_groups::CREATE)),
    ("PUT", "/os-quota-sets/{project}", ("quota_set", quotas::UPDATE)),
];

/// What the body of an operation may be; `None` for those that have none.
pub fn of(route: &Route) -> Option<Value> {
    let method = method(route.method);
    let json_of = |schema: Value| content("application/json", schema);
    match (method.as_str(), route.path) {
        ("GET" | "DELETE", _) => None,
        ("PUT", path) if route.service == Service::Image && (path.ends_with("/file") || path.ends_with("/stage")) => {
            Some(content("application/octet-stream", json!({"type": "string", "format": "binary"})))
        }
        ("PUT", path) if path.contains("/tags/{") => None,
        ("PATCH", _) if route.service == Service::Image => Some(content(patch::MEDIA_TYPE, edits())),
        ("POST", "/auth/tokens") => Some(json_of(proof())),
        ("PUT", path) if path.ends_with("/tags") => {
            Some(json_of(single("tags", json!({"type": "array", "items": {"type": "string"}}))))
        }
        ("PUT", path) if path.ends_with("/metadata/{key}") => Some(json_of(single("meta", strings()))),
        ("PUT" | "POST", path) if path.ends_with("/metadata") => Some(json_of(single("metadata", strings()))),
        (method, path) => Some(json_of(match &route.handler {
            Handler::Actions(rows) => json!({"oneOf": rows.iter().map(action).collect::<Vec<_>>()}),
            _ => match WRAPPED.iter().find(|(m, p, _)| (*m, *p) == (method, path)) {
                Some((.., (key, fields))) if route.service == Service::Compute => single(key, object(fields)),
                _ => json!({"type": "object"}),
            },
        })),
    }
}

fn content(media: &str, schema: Value) -> Value {
    json!({"required": true, "content": {media: {"schema": schema}}})
}

fn single(key: &str, schema: Value) -> Value {
    json!({"type": "object", "required": [key], "properties": {key: schema}})
}

fn strings() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}})
}

/// An object that has these keys and no others.
fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|f| (f.name().to_owned(), property(f))).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn property(field: &Field) -> Value {
    let (since, until) = field.versions();
    let mut out = json!({});
    if since > crate::http::Microversion::MIN {
        out["x-openstack-min-version"] = json!(since.to_string());
    }
    if let Some(until) = until {
        out["x-openstack-gone-from"] = json!(until.to_string());
    }
    out
}

fn action(row: &Action) -> Value {
    let argument = row.keys.map_or_else(|| json!({}), object);
    json!({
        "type": "object", "required": [row.name], "properties": {row.name: argument}, "additionalProperties": false,
        "x-openstack-permissions": [row.rule.to_string()],
        "x-openstack-min-version": row.since.to_string(),
        "x-openstack-gone-from": row.until.map(|v| v.to_string()),
    })
}

/// Edits of an image (spec C-59).
fn edits() -> Value {
    json!({"type": "array", "items": {
        "type": "object", "required": ["op", "path"],
        "properties": {"op": {"enum": ["add", "replace", "remove"]}, "path": {"type": "string"}, "value": {}},
    }})
}

/// A request for a token.
fn proof() -> Value {
    let named = json!({"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}});
    let mut owned = named.clone();
    owned["properties"]["domain"] = named.clone();
    let mut user = owned.clone();
    user["properties"]["password"] = json!({"type": "string"});
    let mut credential = named.clone();
    credential["properties"]["secret"] = json!({"type": "string"});
    credential["properties"]["user"] = owned.clone();
    let identity = json!({
        "type": "object", "required": ["methods"],
        "properties": {
            "methods": {"type": "array", "items": {"enum": ["password", "token", "application_credential"]}},
            "password": single("user", user), "token": single("id", json!({"type": "string"})),
            "application_credential": credential,
        },
    });
    let scope =
        json!({"type": "object", "properties": {"project": owned, "domain": named, "system": {"type": "object"}}});
    single(
        "auth",
        json!({"type": "object", "required": ["identity"], "properties": {"identity": identity, "scope": scope}}),
    )
}
