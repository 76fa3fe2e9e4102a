//! What all lists of Neutron share: exact filters on any key, `fields`, and paging. Pure.

use serde_json::{Map, Value, json};

use crate::{fault::Fault, http::Query};

/// Keys of a query that are no filters.
pub const CONTROL: &[&str] = &["fields", "limit", "marker", "sort_key", "sort_dir", "page_reverse"];

/// Cuts a list of documents by the query, and puts it under `key`.
pub fn list(query: &Query, key: &str, mut items: Vec<Value>) -> Result<Value, Fault> {
    items.retain(|item| fits(item, query));
    if let Some(marker) = query.get("marker") {
        let at = items.iter().position(|i| i["id"] == marker);
        let at = at.ok_or_else(|| Fault::bad_request("The marker could not be found.").kind("BadRequest"))?;
        items.drain(..=at);
    }
    if let Some(limit) = query.number::<usize>("limit")?.filter(|l| *l > 0) {
        items.truncate(limit);
    }
    let items: Vec<Value> = items.into_iter().map(|i| fields(i, query)).collect();
    Ok(json!({ key: items }))
}

/// Only the keys that the query's `fields` names, if it names any.
pub fn fields(item: Value, query: &Query) -> Value {
    let wanted: Vec<&str> = query.all("fields").collect();
    match item {
        Value::Object(map) if !wanted.is_empty() => {
            Value::Object(map.into_iter().filter(|(k, _)| wanted.contains(&k.as_str())).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// Each key of the query must have one of its values. A key that documents do not have is ignored.
fn fits(item: &Value, query: &Query) -> bool {
    query.pairs().filter(|(key, _)| !CONTROL.contains(key)).all(|(key, _)| match item.get(key) {
        None => true,
        Some(own) => query.all(key).any(|wanted| matches(own, wanted)),
    })
}

fn matches(own: &Value, wanted: &str) -> bool {
    match own {
        Value::String(text) => text == wanted,
        Value::Bool(b) => crate::http::query::truth(wanted) == Some(*b),
        Value::Number(n) => n.to_string() == wanted,
        Value::Array(items) => items.iter().any(|i| item_matches(i, wanted)),
        Value::Null => wanted.is_empty(),
        Value::Object(_) => false,
    }
}

/// `fixed_ips=ip_address=10.0.0.5` names a key of the entries.
fn item_matches(item: &Value, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => item.get(key).is_some_and(|own| matches(own, value)),
        None => matches(item, wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(query: &str) -> Vec<String> {
        let items = vec![
            json!({"id": "1", "name": "a", "shared": true, "fixed_ips": [{"ip_address": "10.0.0.5"}]}),
            json!({"id": "2", "name": "b", "shared": false, "fixed_ips": []}),
        ];
        let Ok(found) = list(&Query::parse(query), "x", items) else { return vec!["refused".into()] };
        found["x"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn any_key_filters() {
        assert_eq!(ids("name=a"), ["1"]);
        assert_eq!(ids("name=a&name=b"), ["1", "2"]);
        assert_eq!(ids("shared=False"), ["2"]);
        assert_eq!(ids("fixed_ips=ip_address%3D10.0.0.5"), ["1"]);
        assert_eq!(ids("colour=red"), ["1", "2"]);
        assert_eq!(ids("limit=1"), ["1"]);
        assert_eq!(ids("marker=1"), ["2"]);
        assert_eq!(ids("marker=9"), ["refused"]);
    }

    #[test]
    fn fields_cut_documents() {
        assert_eq!(fields(json!({"id": 1, "name": 2}), &Query::parse("fields=id")), json!({"id": 1}));
    }
}
