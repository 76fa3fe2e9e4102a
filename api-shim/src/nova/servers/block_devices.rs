//! `block_device_mapping_v2` of a creation: this version knows one disk, made from the image. Pure.

use serde_json::{Map, Value};

use crate::{fault::Fault, http::query::truth};

const REFUSAL: &str = "This version has no volumes: only one disk from an image (source_type image, destination_type \
                       local, boot_index 0) is served.";

/// The image that the one mapping names, if any. Accepts what the CLI always sends and nothing else.
pub fn image(mappings: Option<&[Map<String, Value>]>) -> Result<Option<String>, Fault> {
    let refuse = || Fault::invalid_field("server.block_device_mapping_v2", REFUSAL);
    let Some(mappings) = mappings else { return Ok(None) };
    let mapping = match mappings {
        [] => return Ok(None),
        [one] => one,
        _ => return Err(refuse()),
    };
    let text = |key: &str| mapping.get(key).and_then(Value::as_str);
    let known = [
        "boot_index",
        "uuid",
        "source_type",
        "destination_type",
        "delete_on_termination",
        "device_name",
        "guest_format",
        "disk_bus",
        "device_type",
        "no_device",
        "volume_size",
        "tag",
        "volume_type",
    ];
    if let Some(key) = mapping.keys().find(|k| !known.contains(&k.as_str())) {
        let why = format!("Additional properties are not allowed ('{}' was unexpected)", crate::observe::clean(key));
        return Err(Fault::invalid_field("server.block_device_mapping_v2", why));
    }
    let boots = match mapping.get("boot_index") {
        None | Some(Value::Null) => true,
        Some(Value::Number(n)) => n.as_i64() == Some(0),
        Some(Value::String(s)) => s == "0",
        Some(_) => false,
    };
    let kept = match mapping.get("delete_on_termination") {
        Some(Value::Bool(b)) => !b,
        Some(Value::String(s)) => truth(s) == Some(false),
        _ => false,
    };
    let plain = ["guest_format", "disk_bus", "device_type", "no_device", "volume_size", "tag", "volume_type"];
    let special = plain.iter().any(|k| mapping.get(*k).is_some_and(|v| !v.is_null()));
    if text("source_type") != Some("image")
        || text("destination_type").unwrap_or("local") != "local"
        || !boots
        || special
    {
        return Err(refuse());
    }
    if kept {
        let why = "The disk of a server goes with the server: delete_on_termination cannot be false.";
        return Err(Fault::invalid_field("server.block_device_mapping_v2", why));
    }
    text("uuid").map(|u| Some(u.to_owned())).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(value: Value) -> Result<Option<String>, u16> {
        let maps: Vec<Map<String, Value>> = serde_json::from_value(value).unwrap();
        image(Some(&maps)).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn what_the_cli_always_sends_is_accepted() {
        let sent = json!([{"uuid": "i", "boot_index": 0, "source_type": "image", "destination_type": "local",
                           "delete_on_termination": true}]);
        assert_eq!(verdict(sent), Ok(Some("i".into())));
        assert_eq!(verdict(json!([])), Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            json!([{"uuid": "v", "boot_index": 0, "source_type": "volume", "destination_type": "volume"}]),
            json!([{"uuid": "i", "boot_index": 0, "source_type": "image", "destination_type": "volume"}]),
            json!([{"uuid": "i", "boot_index": -1, "source_type": "image", "destination_type": "local"}]),
            json!([{"boot_index": 0, "source_type": "blank", "destination_type": "local"}]),
            json!([{"uuid": "i", "source_type": "image", "volume_size": 10}]),
            json!([{"uuid": "i", "source_type": "image", "delete_on_termination": false}]),
            json!([{"uuid": "i", "source_type": "image", "colour": 1}]),
            json!([{"uuid": "i", "source_type": "image"}, {"uuid": "i", "source_type": "image"}]),
        ] {
            assert_eq!(verdict(bad.clone()), Err(400), "{bad}");
        }
    }
}
