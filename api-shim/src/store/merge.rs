//! The smallest JSON merge patch from one object to another. Fields that this version does not know are in neither, so
//! they are left as they are.

use serde_json::{Map, Value};

use super::compact::UPDATED;

/// The merge patch from `old` to `new`; `None` if nothing changes.
pub fn patch(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut out = Map::new();
    for key in old.keys().filter(|k| !new.contains_key(*k) && *k != UPDATED) {
        out.insert(key.clone(), Value::Null);
    }
    for (key, value) in new.iter().filter(|(k, _)| *k != UPDATED) {
        match old.get(key) {
            Some(before) => {
                if let Some(change) = patch(before, value) {
                    out.insert(key.clone(), change);
                }
            }
            None => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    if out.is_empty() { None } else { Some(Value::Object(out)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changed_is_sent() {
        let old = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1]});
        let new = json!({"a": 1, "b": {"c": 4}, "e": [1, 2], "f": true});
        assert_eq!(patch(&old, &new), Some(json!({"b": {"c": 4, "d": null}, "e": [1, 2], "f": true})));
        assert_eq!(patch(&old, &old), None);
    }

    /// RFC 7386.
    fn apply(target: &mut Value, patch: &Value) {
        let Value::Object(patch) = patch else {
            *target = patch.clone();
            return;
        };
        if !target.is_object() {
            *target = json!({});
        }
        if let Value::Object(target) = target {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(key);
                } else {
                    apply(target.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), any::<u8>().prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::btree_map("[a-d]", inner.clone(), 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
                prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            ]
        })
    }

    proptest! {
        #[test]
        fn applying_the_patch_gives_the_new_object(old in tree(), new in tree()) {
            let mut target = old.clone();
            if let Some(patch) = patch(&old, &new) {
                apply(&mut target, &patch);
            }
            prop_assert_eq!(target, new);
        }
    }
}
