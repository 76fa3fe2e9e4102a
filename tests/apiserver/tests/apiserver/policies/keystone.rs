//! What the shim makes for Keystone's administration, where the chart lets it: policies keystone and shim-secrets.

use anyhow::Result;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleBinding};
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use ostler_test_harness::Cluster;
use ostler_test_harness::chart::{NAMESPACE, make_namespace};
use ostler_tests_apiserver::verdict::expect;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

const KEYSTONE: &str = "compute.ostler.dev/keystone";
const PROJECT: &str = "compute.ostler.dev/project";

/// A control plane whose shim administers. One for these tests.
async fn cluster() -> Result<&'static Cluster> {
    static SHARED: OnceCell<Cluster> = OnceCell::const_new();
    SHARED.get_or_try_init(|| Cluster::start(&["apiShim.identityAdministration=true"])).await
}

async fn shim() -> Result<Client> {
    cluster().await?.shim().await?.client().await
}

fn project(name: &str, more: Value) -> Result<Namespace> {
    let mut labels = json!({KEYSTONE: "true", PROJECT: "true"});
    if let (Some(labels), Value::Object(more)) = (labels.as_object_mut(), more) {
        labels.extend(more);
    }
    Ok(serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}}))?)
}

fn role_binding<K: serde::de::DeserializeOwned>(name: &str, role: &str, user: &str) -> Result<K> {
    let group = "rbac.authorization.k8s.io";
    Ok(serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {KEYSTONE: "true"}},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }))?)
}

#[tokio::test]
async fn the_shim_makes_projects_and_deletes_no_namespace_that_it_did_not_make() -> Result<()> {
    let (namespaces, create) = (Api::<Namespace>::all(shim().await?), PostParams::default());
    let labels = Some("no labels but those of a project");
    expect("a project", namespaces.create(&create, &project("team", json!({}))?).await, None)?;
    let privileged = project("strong", json!({"pod-security.kubernetes.io/enforce": "privileged"}))?;
    expect("a strong one", namespaces.create(&create, &privileged).await, labels)?;
    expect("kube-", namespaces.create(&create, &project("kube-team", json!({}))?).await, labels)?;
    let plain: Namespace = serde_json::from_value(json!({"metadata": {"name": "plain"}}))?;
    expect("no project", namespaces.create(&create, &plain).await, labels)?;

    make_namespace(&cluster().await?.admin().await?, "by-hand", &[(PROJECT, "true")]).await?;
    let foreign = Some("deletes no namespace and no binding that it did not make");
    for name in ["by-hand", NAMESPACE] {
        expect(name, namespaces.delete(name, &DeleteParams::default()).await.map(drop), foreign)?;
    }
    let note = |key: &str| json!({"metadata": {"annotations": {key: "x"}}});
    for (name, change, verdict) in [
        ("team", note("compute.ostler.dev/display-name"), None),
        ("by-hand", note("compute.ostler.dev/description"), None),
        ("team", note("scheduler.alpha.kubernetes.io/node-selector"), Some("writes no annotation of a namespace")),
        ("team", json!({"metadata": {"labels": {KEYSTONE: null}}}), Some("nothing else of its namespace")),
        ("by-hand", json!({"metadata": {"labels": {KEYSTONE: "true"}}}), Some("nothing else of its namespace")),
        ("default", note("compute.ostler.dev/tags"), Some("nothing else of its namespace")),
    ] {
        let patched = namespaces.patch(name, &PatchParams::default(), &Patch::Merge(&change)).await;
        expect(&format!("{name}: {change}"), patched, verdict)?;
    }
    expect("its own", namespaces.delete("team", &DeleteParams::default()).await.map(drop), None)
}

#[tokio::test]
async fn the_shim_binds_single_users_to_the_charts_roles_and_in_projects_alone() -> Result<()> {
    let (client, create) = (shim().await?, PostParams::default());
    let admin = cluster().await?.admin().await?;
    make_namespace(&admin, "roles", &[(PROJECT, "true")]).await?;
    make_namespace(&admin, "no-project", &[]).await?;
    let bindings = Api::<RoleBinding>::namespaced(client.clone(), "roles");
    let (one, alone) = (Some("one user to one of this chart's roles"), Some("gives roles in projects alone"));
    expect("view", bindings.create(&create, &role_binding("a", "ostler-view", "keystone:a")?).await, None)?;
    let strong = role_binding("b", "ostler-platform-admin", "keystone:a")?;
    expect("admin in a project", bindings.create(&create, &strong).await, one)?;
    let system = role_binding("c", "ostler-view", "system:serviceaccount:roles:default")?;
    expect("a ServiceAccount", bindings.create(&create, &system).await, one)?;
    // RBAC itself: it may bind nothing else.
    let any = bindings.create(&create, &role_binding("d", "cluster-admin", "keystone:a")?).await;
    expect("cluster-admin", any, Some("attempting to grant RBAC permissions not currently held"))?;
    let elsewhere = Api::<RoleBinding>::namespaced(client.clone(), "no-project");
    expect("elsewhere", elsewhere.create(&create, &role_binding("e", "ostler-view", "keystone:a")?).await, alone)?;

    let wide = Api::<ClusterRoleBinding>::all(client.clone());
    expect("edit everywhere", wide.create(&create, &role_binding("f", "ostler-edit", "keystone:a")?).await, one)?;
    expect("admin", wide.create(&create, &role_binding("g", "ostler-platform-admin", "keystone:a")?).await, None)?;
    let foreign = Some("deletes no namespace and no binding that it did not make");
    expect("another's", wide.delete("cluster-admin", &DeleteParams::default()).await.map(drop), foreign)?;
    expect("its own", wide.delete("g", &DeleteParams::default()).await.map(drop), None)
}

#[tokio::test]
async fn the_shim_makes_users_of_a_prefix_and_in_no_group() -> Result<()> {
    let secrets = Api::<Secret>::namespaced(shim().await?, NAMESPACE);
    let user = |name: &str, more: Value| -> Result<Secret> {
        let mut data = json!({"name": name, "password-hash": "h"});
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        let labels = json!({KEYSTONE: "true", "compute.ostler.dev/user": "true"});
        let metadata = json!({"name": "keystone-user-1", "labels": labels});
        Ok(serde_json::from_value(json!({"metadata": metadata, "type": "Opaque", "stringData": data}))?)
    };
    let (create, alone) = (PostParams::default(), Some("passwords of users alone"));
    expect("another's name", secrets.create(&create, &user("root", json!({}))?).await, alone)?;
    let grouped = user("keystone:a", json!({"groups": "system:masters"}))?;
    expect("in a group", secrets.create(&create, &grouped).await, alone)?;
    expect("a user", secrets.create(&create, &user("keystone:a", json!({}))?).await, None)?;
    for (change, verdict) in [
        (json!({"stringData": {"enabled": "false"}}), None),
        (json!({"stringData": {"name": "root"}}), alone),
        (json!({"stringData": {"name": "keystone:b"}}), alone),
        (json!({"stringData": {"groups": "x"}}), alone),
    ] {
        let patched = secrets.patch("keystone-user-1", &PatchParams::default(), &Patch::Merge(&change)).await;
        expect(&change.to_string(), patched, verdict)?;
    }
    expect("deletes it", secrets.delete("keystone-user-1", &DeleteParams::default()).await.map(drop), None)
}
