//! Links of compute documents (compute-v2 §3).

use serde_json::{Value, json};

use crate::http::{BaseUrl, Inbound};

/// `self` and `bookmark` of an object.
pub fn both(base: &BaseUrl, collection: &str, id: &str) -> Value {
    json!([
        {"rel": "self", "href": base.compute(&format!("{collection}/{id}"))},
        {"rel": "bookmark", "href": base.bookmark(&format!("{collection}/{id}"))},
    ])
}

/// `bookmark` alone, for an object within another.
pub fn bookmark(base: &BaseUrl, collection: &str, id: &str) -> Value {
    json!([{"rel": "bookmark", "href": base.bookmark(&format!("{collection}/{id}"))}])
}

/// The `next` link of a list: the same query with another marker.
pub fn next(inbound: &Inbound, marker: &str) -> Value {
    let href = format!("{}{}?{}", inbound.base.as_str(), inbound.path, inbound.query.with("marker", marker));
    json!([{"rel": "next", "href": href}])
}
