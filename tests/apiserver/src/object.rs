//! Objects of our kinds from their plural name and a spec.

use anyhow::{Context, Result};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use ostler_crds::{GROUP, VERSION};
use serde_json::{Value, json};

/// Our kind with this plural, and whether it lives in namespaces.
///
/// # Errors
/// There is none.
pub fn resource(plural: &str) -> Result<(ApiResource, bool)> {
    let crds = ostler_crds::all();
    let crd = crds.iter().find(|c| c.spec.names.plural == plural).with_context(|| format!("no kind {plural}"))?;
    let resource = ApiResource {
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        api_version: format!("{GROUP}/{VERSION}"),
        kind: crd.spec.names.kind.clone(),
        plural: plural.to_owned(),
    };
    Ok((resource, crd.spec.scope == "Namespaced"))
}

/// The API of our kind with this plural, in `namespace` if the kind lives in namespaces.
///
/// # Errors
/// There is no such kind.
pub fn api(client: &Client, plural: &str, namespace: &str) -> Result<Api<DynamicObject>> {
    let (resource, namespaced) = resource(plural)?;
    Ok(match namespaced {
        true => Api::namespaced_with(client.clone(), namespace, &resource),
        false => Api::all_with(client.clone(), &resource),
    })
}

/// An object of our kind with this plural.
///
/// # Errors
/// There is no such kind.
pub fn object(plural: &str, name: &str, spec: &Value) -> Result<DynamicObject> {
    let (resource, _) = resource(plural)?;
    Ok(serde_json::from_value(json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name},
        "spec": spec,
    }))?)
}

/// `base` with `patch` laid over it (RFC 7386: null removes).
pub fn merged(base: &Value, patch: &Value) -> Value {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            let mut out = base.clone();
            for (key, value) in patch {
                match value {
                    Value::Null => drop(out.remove(key)),
                    _ => drop(out.insert(key.clone(), merged(base.get(key).unwrap_or(&Value::Null), value))),
                }
            }
            Value::Object(out)
        }
        (_, Value::Object(_)) => merged(&Value::Object(serde_json::Map::new()), patch),
        _ => patch.clone(),
    }
}
