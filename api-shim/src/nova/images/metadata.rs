//! `/images/{id}/metadata` (spec C-31 … C-36): an image's properties.

use std::collections::BTreeMap;

use http::StatusCode;
use ostler_crds::Image;
use serde_json::{Map, Value, json};

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::images,
};

/// Most items.
const MOST: usize = 128;
/// Longest key and value.
const LONGEST: usize = 255;

fn missing() -> Fault {
    Fault::not_found("Metadata item was not found")
}

/// All items.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let image = images::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    Ok(Reply::ok(&json!({"metadata": image.spec.properties})))
}

/// One item.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let image = images::find(&inbound.app.client, &inbound.app.stores, &permit, inbound.param("id")).await?;
    let key = inbound.param("key");
    let value = image.spec.properties.get(key).ok_or_else(missing)?;
    Ok(Reply::ok(&json!({"meta": {key: value}})))
}

/// Adds to them; the answer has all.
pub async fn merge(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let items = read(inbound.json_under("metadata").await?)?;
    let image = change(&inbound, &permit, |properties| {
        properties.extend(items.clone());
        Ok(())
    });
    Ok(Reply::ok(&json!({"metadata": image.await?})))
}

/// Replaces them all (spec D-02).
pub async fn replace(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let items = read(inbound.json_under("metadata").await?)?;
    let image = change(&inbound, &permit, |properties| {
        properties.clone_from(&items);
        Ok(())
    });
    Ok(Reply::ok(&json!({"metadata": image.await?})))
}

/// Sets one; the body has it and no other.
pub async fn set(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("meta").await?;
    if body.len() != 1 || !body.contains_key(inbound.param("key")) {
        return Err(Fault::bad_request("Request body and URI mismatch: exactly the key of the URI is expected."));
    }
    let items = read(body)?;
    change(&inbound, &permit, |properties| {
        properties.extend(items.clone());
        Ok(())
    })
    .await?;
    Ok(Reply::ok(&json!({ "meta": items })))
}

/// Removes one.
pub async fn remove(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let key = inbound.param("key");
    change(&inbound, &permit, |properties| properties.remove(key).map(drop).ok_or_else(missing)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

type Properties = BTreeMap<String, String>;

async fn change(
    inbound: &Inbound,
    permit: &Permit,
    change: impl Fn(&mut Properties) -> Result<(), Fault>,
) -> Result<Properties, Fault> {
    let app = &inbound.app;
    let image = images::change(&app.client, &app.stores, permit, inbound.param("id"), |image: &mut Image| {
        change(&mut image.spec.properties)?;
        if image.spec.properties.len() > MOST {
            return Err(Fault::forbidden(format!("Image metadata limit exceeded: an image has at most {MOST} items.")));
        }
        Ok(())
    });
    Ok(image.await?.spec.properties.clone())
}

fn read(body: Map<String, Value>) -> Result<Properties, Fault> {
    let one = |(key, value): (String, Value)| {
        let invalid = |why: &str| Fault::invalid_field(&format!("metadata.{}", clean(&key)), why);
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | ' ');
        if key.is_empty() || key.len() > LONGEST || !key.chars().all(allowed) || key.starts_with("os_glance") {
            return Err(invalid("It is no key of metadata."));
        }
        match value {
            Value::String(text) if text.chars().count() <= LONGEST => Ok((key, text)),
            _ => Err(invalid("It is not a string of at most 255 characters.")),
        }
    };
    body.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_have_novas_form() {
        let verdict = |body: Value| body.as_object().cloned().map(|b| read(b).is_ok());
        assert_eq!(verdict(json!({"a.b:c d-e_1": "x"})), Some(true));
        for bad in [
            json!({"": "x"}),
            json!({"a/b": "x"}),
            json!({"a": 1}),
            json!({"a": "x".repeat(256)}),
            json!({"os_glance_x": "y"}),
        ] {
            assert_eq!(verdict(bad.clone()), Some(false), "{bad}");
        }
    }
}
