//! `networks` of a creation. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    fault::Fault,
    http::Microversion,
    shape::{Field, fields},
};

/// From this version on, `networks` is required and may be a word.
const WORDS: Microversion = Microversion(37);
const ITEM: &[Field] = &[Field::new("uuid"), Field::new("fixed_ip"), Field::new("port"), Field::since("tag", 42)];

/// What networks a server asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The default one.
    Default,
    /// None.
    None,
    /// These.
    These(Vec<Interface>),
}

/// An interface that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Interface {
    /// The network's id.
    pub uuid: Option<String>,
    /// The address.
    pub fixed_ip: Option<String>,
    port: Option<Value>,
    tag: Option<Value>,
}

/// Reads `networks`.
pub fn read(networks: Option<Value>, version: Microversion) -> Result<Wish, Fault> {
    let items = match networks {
        None if version >= WORDS => return Err(Fault::bad_request("'networks' is a required property")),
        None => return Ok(Wish::Default),
        Some(Value::String(word)) if version >= WORDS && word == "auto" => return Ok(Wish::Default),
        Some(Value::String(word)) if version >= WORDS && word == "none" => return Ok(Wish::None),
        Some(Value::Array(items)) => items,
        Some(_) => {
            return Err(Fault::invalid_field(
                "server.networks",
                "It must be a list, or 'auto' or 'none' from 2.37 on.",
            ));
        }
    };
    if items.is_empty() {
        return Ok(Wish::Default);
    }
    let mut wished: Vec<Interface> = Vec::new();
    for (number, item) in items.into_iter().enumerate() {
        let path = format!("server.networks[{number}]");
        let Value::Object(item) = item else {
            return Err(Fault::invalid_field(&path, "It is not of type 'object'."));
        };
        fields::check(&item, ITEM, version, &path)?;
        let item: Interface = fields::read(item, &path)?;
        check(&item, &path)?;
        if wished.iter().any(|w| w.uuid == item.uuid) {
            return Err(Fault::bad_request("Duplicate networks are not allowed."));
        }
        wished.push(item);
    }
    Ok(Wish::These(wished))
}

fn check(item: &Interface, path: &str) -> Result<(), Fault> {
    if item.port.as_ref().is_some_and(|p| !p.is_null()) {
        return Err(Fault::invalid_field(
            path,
            "Ports cannot be made in advance in this version: name a network by uuid.",
        ));
    }
    if item.tag.as_ref().is_some_and(|t| !t.is_null()) {
        return Err(Fault::invalid_field(path, "Tags of interfaces are not served by this version."));
    }
    if item.uuid.is_none() {
        return Err(Fault::invalid_field(path, "'uuid' is required."));
    }
    match item.fixed_ip.as_deref() {
        Some(ip) if ip.parse::<Ipv6Addr>().is_ok() => {
            Err(Fault::invalid_field(&format!("{path}.fixed_ip"), "IPv6 is not served by this version."))
        }
        Some(ip) if ip.parse::<Ipv4Addr>().is_err() => {
            Err(Fault::invalid_field(&format!("{path}.fixed_ip"), "It is not an IP address."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wish(value: Option<Value>, version: u16) -> Result<Wish, u16> {
        read(value, Microversion(version)).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn words_came_with_2_37_and_the_key_became_required() {
        assert_eq!(wish(Some(json!("auto")), 37), Ok(Wish::Default));
        assert_eq!(wish(Some(json!("none")), 72), Ok(Wish::None));
        assert_eq!(wish(Some(json!("auto")), 36), Err(400));
        assert_eq!(wish(None, 36), Ok(Wish::Default));
        assert_eq!(wish(None, 37), Err(400));
    }

    #[test]
    fn interfaces_are_checked() {
        let id = "6d5b1f0c-0000-4000-8000-000000000001";
        assert!(
            matches!(wish(Some(json!([{"uuid": id, "fixed_ip": "10.0.0.9"}])), 1), Ok(Wish::These(v)) if v.len() == 1)
        );
        for bad in [
            json!([{"uuid": id}, {"uuid": id}]),
            json!([{"uuid": id, "fixed_ip": "10.0.0.999"}]),
            json!([{"uuid": id, "fixed_ip": "fe80::1"}]),
            json!([{"port": id}]),
            json!([{}]),
            json!([1]),
            json!({"uuid": id}),
            json!([{"uuid": id, "colour": "red"}]),
        ] {
            assert_eq!(wish(Some(bad.clone()), 72), Err(400), "{bad}");
        }
    }
}
