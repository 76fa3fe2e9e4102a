//! Applying manifests as kubectl does on the server's side.

use std::time::Duration;

use anyhow::{Context, Result};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::discovery::{ApiCapabilities, Scope, pinned_kind};
use kube::{Client, core::GroupVersionKind};

use crate::wait::wait_for;

/// The objects of a YAML text, which may hold several documents.
///
/// # Errors
/// A document is no Kubernetes object.
pub fn objects(yaml: &str) -> Result<Vec<DynamicObject>> {
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(yaml).context("YAML")?;
    documents
        .into_iter()
        .filter(|d| !d.is_null())
        .map(|d| serde_json::from_value(d).context("no Kubernetes object"))
        .collect()
}

/// How the API server serves the kind of an object; waits up to 10 s for a kind that was defined just now.
///
/// # Errors
/// It does not serve the kind.
pub async fn resource_of(client: &Client, object: &DynamicObject) -> Result<(ApiResource, ApiCapabilities)> {
    let types = object.types.as_ref().context("an object without apiVersion and kind")?;
    let kind = GroupVersionKind::try_from(types)?;
    let what = format!("the API server to serve {}", types.kind);
    wait_for(&what, Duration::from_secs(10), || async { Ok(pinned_kind(client, &kind).await.ok()) }).await
}

/// The API for an object: of its own namespace, of `namespace` if it names none, or of the cluster.
///
/// # Errors
/// The API server does not serve the kind.
pub async fn api_of(client: &Client, object: &DynamicObject, namespace: &str) -> Result<Api<DynamicObject>> {
    let (resource, capabilities) = resource_of(client, object).await?;
    let namespace = object.metadata.namespace.as_deref().unwrap_or(namespace);
    Ok(match capabilities.scope {
        Scope::Cluster => Api::all_with(client.clone(), &resource),
        Scope::Namespaced => Api::namespaced_with(client.clone(), namespace, &resource),
    })
}

/// Applies one object on the server's side as field manager `test` and gives back what the API server made of it.
///
/// # Errors
/// The API server refuses it: a [`kube::Error`], which a test may look into.
pub async fn apply(client: &Client, object: &DynamicObject, namespace: &str) -> Result<DynamicObject> {
    let api = api_of(client, object, namespace).await?;
    let name = object.metadata.name.as_deref().context("an object without a name")?;
    Ok(api.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(object)).await?)
}

/// Applies all objects of a YAML text, one after the other.
///
/// # Errors
/// The text is no YAML, or the API server refuses an object; those before it are applied.
pub async fn apply_yaml(client: &Client, yaml: &str, namespace: &str) -> Result<Vec<DynamicObject>> {
    let mut applied = Vec::new();
    for object in objects(yaml)? {
        applied.push(apply(client, &object, namespace).await?);
    }
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_objects_and_empty_ones_are_left_out() {
        let text = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\n# nothing\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\n";
        let found: Vec<_> = objects(text).unwrap().into_iter().filter_map(|o| o.types.map(|t| t.kind)).collect();
        assert_eq!(found, ["Namespace", "Secret"]);
    }
}
