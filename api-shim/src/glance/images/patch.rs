//! JSON patches as Glance reads them, in both media types (otc-ims §7). Pure.

use http::StatusCode;
use serde_json::Value;

use crate::{fault::Fault, observe::clean};

/// What is done to a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It gets a value.
    Set(String, Value),
    /// It gets a value, and must have one already.
    Replace(String, Value),
    /// It goes.
    Remove(String),
}

/// The media type of today; the one before is read, too.
pub const MEDIA_TYPE: &str = "application/openstack-images-v2.1-json-patch";

/// Reads the body of a `PATCH`.
pub fn read(media_type: &str, body: Value) -> Result<Vec<Change>, Fault> {
    let Value::Array(operations) = body else {
        return Err(Fault::bad_request("Request body must be a JSON array of operation objects."));
    };
    let one: fn(&Value) -> Result<Change, Fault> = match media_type.split(';').next().unwrap_or_default().trim() {
        MEDIA_TYPE => v21,
        "application/openstack-images-v2.0-json-patch" => v20,
        _ => {
            let message = format!("Use the media type {MEDIA_TYPE}.");
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
    };
    operations.iter().map(one).collect()
}

/// `{"op": "replace", "path": "/name", "value": …}`.
fn v21(operation: &Value) -> Result<Change, Fault> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let (Some(op), Some(path)) = (text("op"), text("path")) else {
        return Err(Fault::bad_request("Each operation needs an op and a path."));
    };
    change(op, path, operation.get("value"))
}

/// `{"replace": "/name", "value": …}`.
fn v20(operation: &Value) -> Result<Change, Fault> {
    let found = ["add", "replace", "remove"].iter().find_map(|op| Some((op, operation.get(*op)?.as_str()?)));
    let (op, path) = found.ok_or_else(|| Fault::bad_request("Each operation must be one of add, replace, remove."))?;
    change(op, path, operation.get("value"))
}

fn change(op: &str, path: &str, value: Option<&Value>) -> Result<Change, Fault> {
    let key = key(path)?;
    let value = || value.cloned().ok_or_else(|| Fault::bad_request(format!("Operation \"{op}\" requires a value.")));
    match op {
        "add" => Ok(Change::Set(key, value()?)),
        "replace" => Ok(Change::Replace(key, value()?)),
        "remove" => Ok(Change::Remove(key)),
        other => Err(Fault::bad_request(format!("Unknown operation: {}", clean(other)))),
    }
}

/// The key of a JSON pointer of one segment.
fn key(path: &str) -> Result<String, Fault> {
    let invalid = || Fault::bad_request(format!("Invalid JSON pointer for this resource: '{}'", clean(path)));
    let segment = path.strip_prefix('/').filter(|s| !s.is_empty()).ok_or_else(invalid)?;
    if segment.contains('/') {
        return Err(invalid());
    }
    Ok(segment.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const V21: &str = "application/openstack-images-v2.1-json-patch";
    const V20: &str = "application/openstack-images-v2.0-json-patch";

    #[test]
    fn both_media_types_are_read() {
        let expected = vec![Change::Replace("name".into(), json!("x")), Change::Remove("a/b".into())];
        let new = json!([{"op": "replace", "path": "/name", "value": "x"}, {"op": "remove", "path": "/a~1b"}]);
        let old = json!([{"replace": "/name", "value": "x"}, {"remove": "/a~1b"}]);
        assert_eq!(read(V21, new), Ok(expected.clone()));
        assert_eq!(read(V20, old), Ok(expected));
    }

    #[test]
    fn anything_else_is_refused() {
        let status = |t: &str, v: Value| read(t, v).unwrap_err().status.as_u16();
        assert_eq!(status("application/json", json!([])), 415);
        for bad in [
            json!({}),
            json!([1]),
            json!([{"op": "replace", "path": "/name"}]),
            json!([{"op": "move", "path": "/name", "value": 1}]),
            json!([{"op": "add", "path": "name", "value": 1}]),
            json!([{"op": "add", "path": "/a/b", "value": 1}]),
            json!([{"op": "add", "path": "/", "value": 1}]),
        ] {
            assert_eq!(status(V21, bad.clone()), 400, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_patch_breaks_the_reader(op in "\\PC{0,8}", path in "\\PC{0,20}") {
            let _ = read(V21, json!([{"op": op, "path": path, "value": path}]));
            let _ = read(V20, json!([{&op: path}]));
        }
    }
}
