//! Cuts a document to a microversion. Views build a superset with the keys of all versions; a table says what belongs to
//! which, so that a new version is new rows and no new branch.

use serde_json::Value;

use crate::http::Microversion;

/// A change of a document at a microversion.
pub struct Edit {
    /// The version that brought it.
    at: Microversion,
    /// Keys from the document's root, `/` between them; `*` stands for each entry of an array or object.
    path: &'static str,
    change: Change,
}

/// What changed.
enum Change {
    /// The key is new: absent before.
    Added,
    /// The key is gone: absent from here on.
    Removed,
    /// The value took a new form: before, it is what this makes of it.
    Reformed(fn(&mut Value)),
}

impl Edit {
    /// `path` exists from 2.`at` on.
    pub const fn added(at: u16, path: &'static str) -> Self {
        Self { at: Microversion(at), path, change: Change::Added }
    }

    /// `path` exists below 2.`at`.
    pub const fn removed(at: u16, path: &'static str) -> Self {
        Self { at: Microversion(at), path, change: Change::Removed }
    }

    /// Below 2.`at`, the value at `path` is what `old` makes of it.
    pub const fn reformed(at: u16, path: &'static str, old: fn(&mut Value)) -> Self {
        Self { at: Microversion(at), path, change: Change::Reformed(old) }
    }
}

/// Cuts `document` to `version` by the rows of `edits`, in their order.
pub fn at_version(document: &mut Value, edits: &[Edit], version: Microversion) {
    for edit in edits {
        match edit.change {
            Change::Added if version < edit.at => each(document, edit.path, &|map, key| {
                map.remove(key);
            }),
            Change::Removed if version >= edit.at => each(document, edit.path, &|map, key| {
                map.remove(key);
            }),
            Change::Reformed(old) if version < edit.at => each(document, edit.path, &|map, key| {
                if let Some(value) = map.get_mut(key) {
                    old(value);
                }
            }),
            Change::Added | Change::Removed | Change::Reformed(_) => {}
        }
    }
}

type Map = serde_json::Map<String, Value>;

/// Runs `f` on every object that holds the last key of `path`.
fn each(value: &mut Value, path: &str, f: &impl Fn(&mut Map, &str)) {
    match (path.split_once('/'), value) {
        (Some(("*", rest)), Value::Array(items)) => items.iter_mut().for_each(|i| each(i, rest, f)),
        (Some(("*", rest)), Value::Object(map)) => map.values_mut().for_each(|i| each(i, rest, f)),
        (Some((key, rest)), Value::Object(map)) => {
            if let Some(inner) = map.get_mut(key) {
                each(inner, rest, f);
            }
        }
        (None, Value::Object(map)) => f(map, path),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EDITS: &[Edit] = &[
        Edit::added(9, "locked"),
        Edit::removed(47, "flavor/id"),
        Edit::added(47, "flavor/vcpus"),
        Edit::added(2, "nets/*/*/mac"),
        Edit::reformed(75, "swap", |v| {
            if *v == json!(0) {
                *v = json!("");
            }
        }),
    ];

    fn cut(version: u16) -> Value {
        let mut doc = json!({
            "locked": false, "swap": 0, "flavor": {"id": "1", "vcpus": 2}, "nets": {"n": [{"mac": 1, "addr": 2}]}
        });
        at_version(&mut doc, EDITS, Microversion(version));
        doc
    }

    #[test]
    fn each_version_gets_its_own_keys() {
        assert_eq!(cut(1), json!({"swap": "", "flavor": {"id": "1"}, "nets": {"n": [{"addr": 2}]}}));
        assert_eq!(
            cut(46),
            json!({"locked": false, "swap": "", "flavor": {"id": "1"}, "nets": {"n": [{"mac": 1, "addr": 2}]}})
        );
        assert_eq!(
            cut(75),
            json!({"locked": false, "swap": 0, "flavor": {"vcpus": 2}, "nets": {"n": [{"mac": 1, "addr": 2}]}})
        );
    }
}
