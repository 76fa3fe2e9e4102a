//! `/flavors/{id}/os-extra_specs`: keys and values that describe a flavor further. From 2.86 on they are judged.

use std::collections::BTreeMap;

use http::StatusCode;
use ostler_crds::extra_spec;
use serde_json::{Map, Value, json};

use super::show::find;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    observe::clean,
    store::flavors,
};

/// First version that judges them.
const JUDGED: Microversion = Microversion(86);
/// Longest key and value.
const LONGEST: usize = 255;
/// Most of one flavor.
const MOST: usize = 128;

fn missing(key: &str) -> Fault {
    Fault::not_found(format!("Flavor has no extra specs with key {}.", clean(key)))
}

/// All of a flavor.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let flavor = find(&inbound, &permit).await?;
    Ok(Reply::ok(&json!({"extra_specs": flavor.spec.extra_specs})))
}

/// One of them.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (flavor, key) = (find(&inbound, &permit).await?, inbound.param("key"));
    let value = flavor.spec.extra_specs.get(key).ok_or_else(|| missing(key))?;
    Ok(Reply::ok(&json!({key: value})))
}

/// Adds to them.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let Value::Object(mut outer) = inbound.json().await? else {
        return Err(Fault::bad_request("Malformed request body: an object is expected."));
    };
    let specs = match (outer.remove("extra_specs"), outer.is_empty()) {
        (Some(Value::Object(specs)), true) => read(specs, inbound.version)?,
        _ => return Err(Fault::bad_request("'extra_specs' is a required property, and the only one.")),
    };
    set(&inbound, &permit, &specs).await?;
    Ok(Reply::ok(&json!({ "extra_specs": specs })))
}

/// Sets one of them; the body has its key and nothing else.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let Value::Object(body) = inbound.json().await? else {
        return Err(Fault::bad_request("Malformed request body: an object is expected."));
    };
    if body.len() != 1 || !body.contains_key(inbound.param("key")) {
        return Err(Fault::bad_request("Request body and URI mismatch: exactly the key of the URI is expected."));
    }
    let specs = read(body, inbound.version)?;
    set(&inbound, &permit, &specs).await?;
    Ok(Reply::ok(&json!(specs)))
}

/// Removes one of them.
pub async fn remove(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (app, key) = (&inbound.app, inbound.param("key"));
    flavors::change(&app.client, &app.stores, &permit, inbound.param("id"), |flavor| {
        flavor.spec.extra_specs.remove(key).map(drop).ok_or_else(|| missing(key))
    })
    .await?;
    Ok(Reply::empty(StatusCode::OK))
}

async fn set(inbound: &Inbound, permit: &Permit, specs: &BTreeMap<String, String>) -> Result<(), Fault> {
    let app = &inbound.app;
    flavors::change(&app.client, &app.stores, permit, inbound.param("id"), |flavor| {
        flavor.spec.extra_specs.extend(specs.clone());
        if flavor.spec.extra_specs.len() > MOST {
            return Err(Fault::bad_request(format!("A flavor has at most {MOST} extra specs.")));
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// Reads keys and values as Nova's schema does.
fn read(body: Map<String, Value>, version: Microversion) -> Result<BTreeMap<String, String>, Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | ' ');
    let mut out = BTreeMap::new();
    for (key, value) in body {
        let path = format!("extra_specs.{}", clean(&key));
        if key.is_empty() || key.len() > LONGEST || !key.chars().all(allowed) {
            return Err(Fault::invalid_field("extra_specs", format!("'{}' is not a key.", clean(&key))));
        }
        let value = match value {
            Value::String(text) if text.chars().count() <= LONGEST => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(Fault::invalid_field(&path, "It is not a string of at most 255 characters.")),
        };
        if version >= JUDGED {
            extra_spec::judge(&key, &value)
                .map_err(|e| Fault::bad_request(format!("Validation failed; {}.", clean(&e.to_string()))))?;
        }
        out.insert(key, value);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(body: Value, version: u16) -> Option<u16> {
        let Value::Object(map) = body else { return None };
        read(map, Microversion(version)).err().map(|f| f.status.as_u16())
    }

    #[test]
    fn keys_and_values_have_novas_form_and_are_judged_from_2_86_on() {
        assert_eq!(verdict(json!({"hw:cpu_policy": "shared", "foo:bar": "baz", "n": 1}), 86), None);
        assert_eq!(verdict(json!({"hw:foo": "x"}), 85), None);
        assert_eq!(verdict(json!({"hw:foo": "x"}), 86), Some(400));
        assert_eq!(verdict(json!({"hw:cpu_policy": "banana"}), 86), Some(400));
        for bad in [json!({"a/b": "x"}), json!({"": "x"}), json!({"a": null}), json!({"a": "x".repeat(256)})] {
            assert_eq!(verdict(bad.clone(), 1), Some(400), "{bad}");
        }
    }
}
