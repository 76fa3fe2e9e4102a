//! JSON schemas that clients read before they send anything: `GET /schemas/…`. Those of metadata definitions are there for
//! glanceclient, which reads them in any case; the definitions themselves are not served.

use ostler_crds::image::DiskFormat;
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    http::{Inbound, Reply},
};

/// Keys with their type, and whether a client may write them.
const PROPERTIES: &[(&str, &[&str], bool)] = &[
    ("id", &["string"], true),
    ("name", &["null", "string"], true),
    ("status", &["string"], false),
    ("visibility", &["string"], true),
    ("protected", &["boolean"], true),
    ("os_hidden", &["boolean"], true),
    ("checksum", &["null", "string"], false),
    ("os_hash_algo", &["null", "string"], false),
    ("os_hash_value", &["null", "string"], false),
    ("owner", &["null", "string"], false),
    ("size", &["null", "integer"], false),
    ("virtual_size", &["null", "integer"], false),
    ("container_format", &["null", "string"], true),
    ("disk_format", &["null", "string"], true),
    ("created_at", &["string"], false),
    ("updated_at", &["string"], false),
    ("tags", &["array"], true),
    ("min_ram", &["integer"], true),
    ("min_disk", &["integer"], true),
    ("self", &["string"], false),
    ("file", &["string"], false),
    ("schema", &["string"], false),
    ("direct_url", &["string"], false),
];

fn schema() -> Value {
    let property = |(name, types, writable): &(&str, &[&str], bool)| {
        let type_ = match types {
            [one] => json!(one),
            several => json!(several),
        };
        let mut inner = json!({"type": type_});
        if *name == "tags" {
            inner["items"] = json!({"type": "string", "maxLength": 255});
        }
        if *name == "disk_format" {
            let names = DiskFormat::ALL.iter().map(|f| json!(f.as_str()));
            inner["enum"] = std::iter::once(Value::Null).chain(names).collect();
        }
        if !writable {
            inner["readOnly"] = true.into();
        }
        ((*name).to_owned(), inner)
    };
    let properties: serde_json::Map<String, Value> = PROPERTIES.iter().map(property).collect();
    json!({
        "name": "image", "properties": properties, "additionalProperties": {"type": "string"},
        "links": [{"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"},
                  {"rel": "describedby", "href": "{schema}"}],
    })
}

/// The schema of an image.
pub async fn image(_inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::ok(&schema()))
}

/// The schema of a list of images.
pub async fn images(_inbound: Inbound) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({
        "name": "images",
        "properties": {
            "images": {"type": "array", "items": schema()}, "first": {"type": "string"}, "next": {"type": "string"},
            "schema": {"type": "string"},
        },
        "links": [{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"},
                  {"rel": "describedby", "href": "{schema}"}],
    })))
}

/// Further schemas: path below `/schemas/`, name, and for a list the name of its entries.
const OTHERS: &[(&str, &str, Option<&str>)] = &[
    ("member", "member", None),
    ("members", "members", Some("member")),
    ("task", "task", None),
    ("tasks", "tasks", Some("task")),
    ("metadefs/namespace", "namespace", None),
    ("metadefs/namespaces", "namespaces", Some("namespace")),
    ("metadefs/resource_type", "resource_type_association", None),
    ("metadefs/resource_types", "resource_type_associations", Some("resource_type_association")),
    ("metadefs/property", "property", None),
    ("metadefs/properties", "properties", Some("property")),
    ("metadefs/object", "object", None),
    ("metadefs/objects", "objects", Some("object")),
    ("metadefs/tag", "tag", None),
    ("metadefs/tags", "tags", Some("tag")),
];

/// Keys of an entry. All are texts, and those of metadata definitions are not listed further: none can be written.
fn keys(name: &str) -> &'static [&'static str] {
    match name {
        "member" => &["image_id", "member_id", "status", "created_at", "updated_at", "schema"],
        "task" => &["id", "type", "status", "owner", "message", "created_at", "updated_at", "expires_at", "schema"],
        "namespace" => &["namespace", "display_name", "description", "visibility", "owner", "schema"],
        "tag" | "object" | "property" => &["name", "description", "created_at", "updated_at", "schema"],
        _ => &["name", "prefix", "properties_target", "created_at", "updated_at"],
    }
}

fn entry(name: &str) -> Value {
    let properties: serde_json::Map<String, Value> =
        keys(name).iter().map(|key| ((*key).to_owned(), json!({"type": "string"}))).collect();
    json!({"name": name, "properties": properties})
}

fn other(path: &str) -> Option<Value> {
    let (_, name, of) = OTHERS.iter().find(|(p, _, _)| *p == path)?;
    let Some(of) = of else { return Some(entry(name)) };
    Some(json!({"name": name, "properties": {
        *name: {"type": "array", "items": entry(of)}, "schema": {"type": "string"},
    }}))
}

/// Any other schema: of members and tasks, or below `metadefs`.
pub async fn others(inbound: Inbound) -> Result<Reply, Fault> {
    let path = match inbound.params.get("group") {
        Some(group) => format!("{group}/{}", inbound.param("name")),
        None => inbound.param("name").to_owned(),
    };
    other(&path).map(|s| Reply::ok(&s)).ok_or_else(|| Fault::not_found("There is no such schema."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_has_its_name() {
        for (path, name, _) in OTHERS {
            assert_eq!(other(path).map(|s| s["name"].clone()), Some(json!(name)), "{path}");
        }
        assert_eq!(other("metadefs/none"), None);
    }
}
