//! A flavor as an administrator writes it, and the Flavor that it stands for. Pure.

use ostler_crds::{Flavor, FlavorSpec, FlavorVisibility, names::ID_LABEL};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    fault::Fault,
    http::Microversion,
    shape::{
        Field,
        fields::{self, lenient_bool, lenient_int},
    },
    store::slug,
};

/// Keys of `flavor` in a creation.
pub const FIELDS: &[Field] = &[
    Field::new("id"),
    Field::new("name"),
    Field::new("ram"),
    Field::new("vcpus"),
    Field::new("disk"),
    Field::new("OS-FLV-EXT-DATA:ephemeral"),
    Field::new("swap"),
    Field::new("rxtx_factor"),
    Field::new("os-flavor-access:is_public"),
    Field::since("description", 55),
];
const REQUIRED: &[&str] = &["name", "ram", "vcpus", "disk"];
/// Largest number in Nova's database.
const MOST: i64 = 0x7fff_ffff;
/// Longest id: it is the value of a label.
const LONGEST_ID: usize = 63;

#[derive(Debug, Deserialize)]
struct Wire {
    #[serde(default)]
    id: Option<Value>,
    name: String,
    #[serde(deserialize_with = "lenient_int")]
    ram: Option<i64>,
    #[serde(deserialize_with = "lenient_int")]
    vcpus: Option<i64>,
    #[serde(deserialize_with = "lenient_int")]
    disk: Option<i64>,
    #[serde(rename = "OS-FLV-EXT-DATA:ephemeral", default, deserialize_with = "lenient_int")]
    ephemeral: Option<i64>,
    #[serde(default, deserialize_with = "lenient_int")]
    swap: Option<i64>,
    #[serde(default)]
    rxtx_factor: Option<Value>,
    #[serde(rename = "os-flavor-access:is_public", default, deserialize_with = "lenient_bool")]
    is_public: Option<bool>,
    #[serde(default)]
    description: Option<String>,
}

/// Reads a creation.
pub fn read(body: Map<String, Value>, version: Microversion) -> Result<Flavor, Fault> {
    fields::check(&body, FIELDS, version, "flavor")?;
    if let Some(key) = REQUIRED.iter().find(|k| !body.contains_key(**k)) {
        return Err(Fault::invalid_field("flavor", format!("'{key}' is a required property")));
    }
    let wire: Wire = fields::read(body, "flavor")?;
    description(wire.description.as_deref())?;
    let size = |key: &str, value: Option<i64>, least: i64| {
        let value = value.filter(|v| (least..=MOST).contains(v)).and_then(|v| u64::try_from(v).ok());
        value.ok_or_else(|| {
            Fault::invalid_field(&format!("flavor.{key}"), format!("It must be a number from {least} to {MOST}."))
        })
    };
    let vcpus = size("vcpus", wire.vcpus, 1)?;
    let spec = FlavorSpec {
        display_name: Some(name(&wire.name)?),
        description: wire.description,
        vcpus: u32::try_from(vcpus).unwrap_or(u32::MAX),
        memory_mib: size("ram", wire.ram, 1)?,
        disk_gib: size("disk", wire.disk, 0)?,
        ephemeral_gib: Some(size("OS-FLV-EXT-DATA:ephemeral", wire.ephemeral.or(Some(0)), 0)?).filter(|n| *n > 0),
        swap_mib: Some(size("swap", wire.swap.or(Some(0)), 0)?).filter(|n| *n > 0),
        rxtx_factor: rxtx_factor(wire.rxtx_factor.as_ref())?,
        extra_specs: Default::default(),
        visibility: if wire.is_public.unwrap_or(true) { FlavorVisibility::Public } else { FlavorVisibility::Private },
        access: None,
    };
    let mut flavor = Flavor::new(&slug::slug(&wire.name, "flavor"), spec);
    flavor.metadata.labels = Some([(ID_LABEL.to_owned(), id(wire.id.as_ref())?)].into());
    Ok(flavor)
}

/// Nova's rule for names: printable, no space at the ends.
fn name(text: &str) -> Result<String, Fault> {
    let fine =
        !text.is_empty() && text.chars().count() <= 255 && text.trim() == text && !text.chars().any(char::is_control);
    if fine {
        return Ok(text.to_owned());
    }
    Err(Fault::invalid_field("flavor.name", "It must be 1 to 255 printable characters without spaces at its ends."))
}

/// Nova's rule for descriptions.
pub fn description(text: Option<&str>) -> Result<(), Fault> {
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    if text.is_none_or(|t| t.chars().count() <= 65_535 && t.chars().all(printable)) {
        return Ok(());
    }
    Err(Fault::invalid_field("flavor.description", "It must be at most 65535 printable characters."))
}

/// The id: what the client says, or a new one for `auto` and none. Nova takes 255 characters and spaces; here the id is the
/// value of a label.
fn id(asked: Option<&Value>) -> Result<String, Fault> {
    let text = match asked {
        None | Some(Value::Null) => "auto".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(Fault::invalid_field("flavor.id", "It is neither a string nor a whole number.")),
    };
    if text == "auto" {
        return Ok(Uuid::new_v4().to_string());
    }
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.len() <= LONGEST_ID && ends(text.chars().next()) && ends(text.chars().last()) && text.chars().all(inner) {
        return Ok(text);
    }
    let why = "This version takes up to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends.";
    Err(Fault::invalid_field("flavor.id", why))
}

fn rxtx_factor(asked: Option<&Value>) -> Result<Option<f64>, Fault> {
    let number = match asked {
        None => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        Some(_) => None,
    };
    let number = number.filter(|n| n.is_finite() && (0.0..=1e9).contains(n));
    number.map(Some).ok_or_else(|| Fault::invalid_field("flavor.rxtx_factor", "It must be a number of at least 0."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn made(more: Value, version: u16) -> Result<Flavor, u16> {
        let mut body = json!({"name": "m1", "ram": 512, "vcpus": 1, "disk": 10});
        let (Value::Object(body), Value::Object(more)) = (&mut body, more) else { return Err(0) };
        body.extend(more);
        body.retain(|_, v| *v != json!("absent"));
        read(body.clone(), Microversion(version)).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn a_flavor_is_read_with_all_that_nova_has() {
        let flavor = made(
            json!({"id": 1234, "ram": "1024", "OS-FLV-EXT-DATA:ephemeral": 10, "swap": "1024", "rxtx_factor": 2,
                   "os-flavor-access:is_public": "False", "description": "d"}),
            55,
        )
        .unwrap();
        assert_eq!(flavor.openstack_id(), "1234");
        assert_eq!(
            (flavor.spec.memory_mib, flavor.spec.swap_mib, flavor.spec.ephemeral_gib),
            (1024, Some(1024), Some(10))
        );
        assert_eq!((flavor.spec.rxtx_factor, flavor.spec.visibility), (Some(2.0), FlavorVisibility::Private));
        let plain = made(json!({"id": null}), 1).unwrap();
        assert!(Uuid::parse_str(&plain.openstack_id()).is_ok() && plain.is_served());
    }

    #[test]
    fn what_nova_refuses_is_refused() {
        for (more, version) in [
            (json!({"description": "d"}), 54),
            (json!({"name": "absent"}), 1),
            (json!({"name": ""}), 1),
            (json!({"name": " a"}), 1),
            (json!({"name": "x".repeat(256)}), 1),
            (json!({"ram": 0}), 1),
            (json!({"ram": "many"}), 1),
            (json!({"vcpus": 0}), 1),
            (json!({"disk": -1}), 1),
            (json!({"disk": null}), 1),
            (json!({"swap": -1}), 1),
            (json!({"swap": 3_000_000_000_i64}), 1),
            (json!({"rxtx_factor": -1.5}), 1),
            (json!({"rxtx_factor": "much"}), 1),
            (json!({"id": "a/b"}), 1),
            (json!({"id": "-a"}), 1),
            (json!({"os-flavor-access:is_public": "perhaps"}), 1),
            (json!({"colour": "red"}), 1),
        ] {
            assert_eq!(made(more.clone(), version).err(), Some(400), "{more}");
        }
    }

    proptest! {
        #[test]
        fn an_id_that_is_taken_is_the_value_of_a_label(text in "\\PC{0,70}") {
            if let Ok(id) = id(Some(&json!(text))) {
                let inner = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
                prop_assert!(!id.is_empty() && id.len() <= 63 && inner);
            }
        }
    }
}
