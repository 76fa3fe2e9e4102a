//! Rules for names, descriptions, metadata and tags, as Nova's schemas have them. Pure.

use std::collections::BTreeMap;

use rand::{Rng, distr::Alphanumeric};
use serde_json::Value;

use crate::{fault::Fault, http::Microversion, nova::limits::SERVER_METADATA, observe::clean};

/// Longest name, description, metadata key and value, in characters (spec L-14).
const LONGEST: usize = 255;

/// A name: 1 to 255 printable characters without white space at the ends. `path` is the field that it is in.
pub fn name_at(path: &str, name: &str) -> Result<(), Fault> {
    let printable = !name.chars().any(char::is_control);
    if name.is_empty() || name.chars().count() > LONGEST || name.trim() != name || !printable {
        return Err(Fault::invalid_field(
            path,
            format!("Value: '{}'. It must be 1 to 255 printable characters without spaces at the ends.", clean(name)),
        ));
    }
    Ok(())
}

/// A description: up to 255 printable characters.
pub fn description(text: &str) -> Result<(), Fault> {
    if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(Fault::invalid_field("server.description", "It must be at most 255 printable characters."));
    }
    Ok(())
}

/// From here on a host name may have a domain.
const DOMAINS: Microversion = Microversion(94);

/// A host name: a label of DNS (Nova's schema of 2.90), or several.
pub fn hostname(path: &str, name: &str, version: Microversion) -> Result<(), Fault> {
    let label = |l: &str| {
        let allowed = l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=63).contains(&l.len()) && allowed && !l.starts_with('-') && !l.ends_with('-')
    };
    let good = (2..=253).contains(&name.len()) && name.split('.').all(label);
    match (good, version >= DOMAINS || !name.contains('.')) {
        (true, true) => Ok(()),
        (_, true) if version >= DOMAINS => Err(Fault::invalid_field(
            path,
            "It must be labels of up to 63 letters, digits and inner hyphens, dots between.",
        )),
        _ => Err(Fault::invalid_field(path, "It must be 2 to 63 letters, digits and inner hyphens.")),
    }
}

/// Letters and digits by chance, for passwords and reservations.
pub fn random(length: usize) -> String {
    rand::rng().sample_iter(&Alphanumeric).take(length).map(char::from).collect()
}

/// A metadata key (spec D-20: 400 on /v2.1).
pub fn metadata_key(key: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | ' ');
    if key.is_empty() || key.chars().count() > LONGEST || !key.chars().all(allowed) {
        let why = format!("Key '{}' must be 1 to 255 of letters, digits, '-', '_', ':', '.', ' '.", clean(key));
        return Err(Fault::invalid_field("metadata", why));
    }
    Ok(())
}

/// A metadata value: a string of at most 255 characters.
pub fn metadata_value(key: &str, value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) if text.chars().count() <= LONGEST => Ok(text.clone()),
        Value::String(_) => Err(Fault::invalid_field(&format!("metadata.{}", clean(key)), "It is too long.")),
        _ => Err(Fault::invalid_field(&format!("metadata.{}", clean(key)), "It is not of type 'string'.")),
    }
}

/// A whole set of metadata.
pub fn metadata(items: &serde_json::Map<String, Value>) -> Result<BTreeMap<String, String>, Fault> {
    let item = |(key, value): (&String, &Value)| {
        metadata_key(key)?;
        Ok((key.clone(), metadata_value(key, value)?))
    };
    items.iter().map(item).collect()
}

/// The number of items (spec L-01, K-08).
pub fn metadata_count(items: &BTreeMap<String, String>) -> Result<(), Fault> {
    if items.len() > SERVER_METADATA {
        return Err(Fault::forbidden(format!("Maximum number of metadata items exceeds {SERVER_METADATA}.")));
    }
    Ok(())
}

/// One tag: 1 to 60 characters without `/` and `,`.
pub fn tag(tag: &str) -> Result<(), Fault> {
    if tag.is_empty() || tag.chars().count() > 60 || tag.contains(['/', ',']) || tag.chars().any(char::is_control) {
        return Err(Fault::invalid_field("tag", "A tag has 1 to 60 characters without '/' and ','."));
    }
    Ok(())
}

/// Tags: at most 50 different ones of 1 to 60 characters without `/` and `,`.
pub fn tags(tags: &[String]) -> Result<(), Fault> {
    let twice = tags.iter().enumerate().any(|(i, t)| tags[..i].contains(t));
    if tags.len() > 50 || tags.iter().any(|t| tag(t).is_err()) || twice {
        let why = "There may be 50 different tags of 1 to 60 characters without '/' and ','.";
        return Err(Fault::invalid_field("server.tags", why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_have_no_space_at_the_ends() {
        let name = |n: &str| name_at("server.name", n);
        assert!(name("Wéb 1").is_ok());
        for bad in ["", " a", "a ", "a\nb", &"x".repeat(256)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn metadata_is_checked_by_key_and_value() {
        let verdict =
            |v: Value| v.as_object().map(|m| metadata(m).map_err(|f| f.status.as_u16()).map(|m| m.len())).unwrap();
        assert_eq!(verdict(json!({"a b:c": "x"})), Ok(1));
        assert_eq!(verdict(json!({"": "x"})), Err(400));
        assert_eq!(verdict(json!({"a/b": "x"})), Err(400));
        assert_eq!(verdict(json!({"a": 1})), Err(400));
        assert_eq!(verdict(json!({"a": "x".repeat(256)})), Err(400));
        let many: BTreeMap<String, String> = (0..129).map(|i| (i.to_string(), String::new())).collect();
        assert_eq!(metadata_count(&many).unwrap_err().status.as_u16(), 403);
    }

    #[test]
    fn a_host_name_has_a_domain_from_2_94_on() {
        let good = |name: &str, version| hostname("x", name, Microversion(version)).is_ok();
        assert!(good("web-1", 90) && good("web-1", 94) && good("web-1.example.com", 94));
        assert!(!good("web-1.example.com", 93) && !good("web..com", 94) && !good("-web", 94) && !good("w", 90));
        assert!(good(&format!("{}.example.com", "x".repeat(63)), 94) && !good(&"x".repeat(64), 94));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_rules(text in "\\PC{0,300}") {
            let _ = (name_at("x", &text), hostname("x", &text, DOMAINS), description(&text), metadata_key(&text), tags(std::slice::from_ref(&text)));
        }
    }
}
