//! The chart's admission policies, verdict by verdict, asked by those whom they are about.

mod actions;
mod finalizer;
mod identity;
mod keystone;
mod node_objects;
mod secrets;
mod status;
mod visibility;

use anyhow::Result;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use ostler_test_harness::Cluster;
use ostler_tests_apiserver::object::{api, object};
use serde_json::{Value, json};

/// A namespace with a Server `a`, placed on `host` by the manager unless `host` is empty.
struct Stage {
    cluster: &'static Cluster,
    namespace: String,
}

impl Stage {
    async fn with_server_on(host: &str) -> Result<Self> {
        let cluster = Cluster::shared().await?;
        let stage = Self { cluster, namespace: cluster.namespace().await? };
        let spec = json!({"flavor": "small", "image": "debian"});
        let servers = stage.servers(&cluster.admin().await?)?;
        servers.create(&PostParams::default(), &object("servers", "a", &spec)?).await?;
        if !host.is_empty() {
            stage.report(&cluster.manager().await?.client().await?, json!({"host": host})).await?;
        }
        Ok(stage)
    }

    fn servers(&self, client: &Client) -> Result<Api<DynamicObject>> {
        api(client, "servers", &self.namespace)
    }

    /// Merges into the status of `a`.
    async fn report(&self, client: &Client, status: Value) -> Result<DynamicObject, Error> {
        let servers = self.servers(client).map_err(|e| Error::Service(e.into()))?;
        servers.patch_status("a", &PatchParams::default(), &Patch::Merge(json!({"status": status}))).await
    }

    /// Merges into the rest of `a`.
    async fn change(&self, client: &Client, patch: Value) -> Result<DynamicObject, Error> {
        let servers = self.servers(client).map_err(|e| Error::Service(e.into()))?;
        servers.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await
    }
}

/// Binds a user to rules of our API group in a namespace: `(resources, verbs)`.
async fn grant(admin: &Client, namespace: &str, user: &str, rules: &[(&[&str], &[&str])]) -> Result<()> {
    use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
    let rules: Vec<Value> = rules
        .iter()
        .map(|(resources, verbs)| json!({"apiGroups": ["compute.ostler.dev"], "resources": resources, "verbs": verbs}))
        .collect();
    let role: Role = serde_json::from_value(json!({"metadata": {"name": user}, "rules": rules}))?;
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }))?;
    let (apply, force) = (PatchParams::apply("test"), PatchParams::apply("test").force());
    Api::namespaced(admin.clone(), namespace)
        .patch(user, &force, &Patch::Apply(typed(role)?))
        .await
        .map(|_: Role| ())?;
    Api::namespaced(admin.clone(), namespace)
        .patch(user, &apply, &Patch::Apply(typed(binding)?))
        .await
        .map(|_: RoleBinding| ())?;
    Ok(())
}

/// The object with its apiVersion and kind, which server-side apply wants.
fn typed<K: k8s_openapi::Resource + serde::Serialize>(object: K) -> Result<Value> {
    let mut value = serde_json::to_value(object)?;
    value["apiVersion"] = K::API_VERSION.into();
    value["kind"] = K::KIND.into();
    Ok(value)
}
