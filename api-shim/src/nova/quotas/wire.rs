//! Limits as an administrator writes them. Pure.

use ostler_crds::quota::{Resource, UNLIMITED};
use serde_json::{Map, Value};

use super::view::name;
use crate::{
    fault::Fault,
    http::{Microversion, query::truth},
    shape::{Field, fields},
};

/// Keys of `quota_set` in an update.
pub const FIELDS: &[Field] = &[
    Field::new("force"),
    Field::new("instances"),
    Field::new("cores"),
    Field::new("ram"),
    Field::new("key_pairs"),
    Field::new("metadata_items"),
    Field::new("server_groups"),
    Field::new("server_group_members"),
    Field::until("fixed_ips", 36),
    Field::until("floating_ips", 36),
    Field::until("security_groups", 36),
    Field::until("security_group_rules", 36),
    Field::until("injected_files", 57),
    Field::until("injected_file_content_bytes", 57),
    Field::until("injected_file_path_bytes", 57),
];
/// Largest limit in Nova's database.
const MOST: i64 = 0x7fff_ffff;

/// A change of limits.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The new limits.
    pub limits: Vec<(Resource, i64)>,
    /// Whether one may lie below what is used.
    pub force: bool,
}

/// Reads a change at a version; `path` is the outer key.
pub fn read(body: &Map<String, Value>, path: &str, version: Microversion) -> Result<Change, Fault> {
    fields::check(body, FIELDS, version, path)?;
    let force = match body.get("force") {
        None => Some(false),
        Some(Value::Bool(force)) => Some(*force),
        Some(Value::String(word)) => truth(word),
        Some(_) => None,
    };
    let force = force.ok_or_else(|| Fault::invalid_field(&format!("{path}.force"), "It is not a boolean."))?;
    let given = Resource::ALL.iter().filter_map(|r| body.get(name(*r)).map(|v| (*r, v)));
    let limits = given.map(|(r, v)| {
        Ok((
            r,
            number(v).ok_or_else(|| {
                let why = format!("It must be a number from {UNLIMITED} to {MOST}.");
                Fault::invalid_field(&format!("{path}.{}", name(r)), why)
            })?,
        ))
    });
    Ok(Change { limits: limits.collect::<Result<_, Fault>>()?, force })
}

fn number(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|n| (UNLIMITED..=MOST).contains(n))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(body: Value, version: u16) -> Result<Change, u16> {
        let Value::Object(body) = body else { return Err(0) };
        read(&body, "quota_set", Microversion(version)).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn limits_are_numbers_of_known_resources() {
        let good = verdict(json!({"ram": "5120", "cores": -1, "force": "True"}), 1).unwrap();
        assert_eq!(good, Change { limits: vec![(Resource::Cores, -1), (Resource::MemoryMib, 5120)], force: true });
        assert_eq!(verdict(json!({}), 1), Ok(Change::default()));
        for (bad, version) in [
            (json!({"ram": -2}), 1),
            (json!({"ram": "much"}), 1),
            (json!({"ram": 4_000_000_000_i64}), 1),
            (json!({"force": "perhaps"}), 1),
            (json!({"colour": 1}), 1),
            (json!({"fixed_ips": 1}), 36),
            (json!({"injected_files": 1}), 57),
        ] {
            assert_eq!(verdict(bad.clone(), version), Err(400), "{bad}");
        }
    }
}
