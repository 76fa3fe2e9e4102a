//! JSON schemas that glanceclient reads before it sends anything: `GET /schemas/image` and `/schemas/images`.

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
            inner["enum"] = json!([null, "raw", "qcow2"]);
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
