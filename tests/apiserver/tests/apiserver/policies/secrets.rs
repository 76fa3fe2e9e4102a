//! The Secrets that the shim may make: policy shim-secrets.

use anyhow::Result;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use ostler_test_harness::{Cluster, apply::apply_yaml, chart::NAMESPACE};
use ostler_tests_apiserver::verdict::expect;
use serde_json::{Value, json};

fn secret(value: Value) -> Result<Secret> {
    Ok(serde_json::from_value(value)?)
}

const ALONE: Option<&str> =
    Some("the shim writes the Secrets ostler-token-keys and ostler-revoked-tokens, application");
const CREDENTIAL: &str = "compute.ostler.dev/application-credential";

async fn as_shim() -> Result<Api<Secret>> {
    let cluster = Cluster::shared().await?;
    Ok(Api::namespaced(cluster.shim().await?.client().await?, NAMESPACE))
}

#[tokio::test]
async fn the_shim_cannot_have_a_token_made_for_another_service_account() -> Result<()> {
    let secrets = as_shim().await?;
    let create = PostParams::default();
    let token = json!({"metadata": {"annotations": {"kubernetes.io/service-account.name": "ostler-manager"}}});
    for name in ["stolen", "ostler-token-keys", "ostler-application-credential-1"] {
        let mut wanted = token.clone();
        wanted["metadata"]["name"] = json!(name);
        wanted["type"] = json!("kubernetes.io/service-account-token");
        expect(name, secrets.create(&create, &secret(wanted)?).await, ALONE)?;
    }
    let user = secret(json!({"metadata": {"name": "user", "labels": {"compute.ostler.dev/user": "true"}}}))?;
    expect("a user", secrets.create(&create, &user).await, ALONE)?;
    for name in ["ostler-token-keys", "ostler-revoked-tokens"] {
        expect(name, secrets.create(&create, &secret(json!({"metadata": {"name": name}}))?).await, None)?;
    }
    let revoke = Patch::Merge(json!({"stringData": {"a": "b"}}));
    expect("revokes", secrets.patch("ostler-revoked-tokens", &PatchParams::default(), &revoke).await, None)?;
    let tls = secrets.patch("ostler-api-shim-tls", &PatchParams::default(), &revoke).await;
    expect("changes its certificate", tls, ALONE)?;
    let keys = secrets.delete("ostler-token-keys", &DeleteParams::default()).await;
    expect("deletes its keys", keys.map(drop), ALONE)
}

#[tokio::test]
async fn the_shim_makes_and_deletes_application_credentials_under_their_names_alone() -> Result<()> {
    let secrets = as_shim().await?;
    let credential = |name: &str| secret(json!({"metadata": {"name": name}, "type": CREDENTIAL}));
    let (create, delete) = (PostParams::default(), DeleteParams::default());
    expect("elsewhere", secrets.create(&create, &credential("elsewhere")?).await, ALONE)?;
    let name = "ostler-application-credential-0123";
    expect(name, secrets.create(&create, &credential(name)?).await, None)?;
    expect("deletes it", secrets.delete(name, &delete).await.map(drop), None)
}

#[tokio::test]
async fn the_shim_changes_the_password_of_a_user_and_nothing_else_of_him() -> Result<()> {
    let secrets = as_shim().await?;
    let admin = Cluster::shared().await?.admin().await?;
    let user = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "walter", "labels": {"compute.ostler.dev/user": "true"}},
        "stringData": {"name": "walter", "password-hash": "old"}});
    apply_yaml(&admin, &user.to_string(), NAMESPACE).await?;
    for (change, verdict) in [
        (json!({"stringData": {"password-hash": "new"}}), None),
        (json!({"stringData": {"groups": "system:masters"}}), ALONE),
        (json!({"stringData": {"name": "pat"}}), ALONE),
        (json!({"data": {"name": null}}), ALONE),
        (json!({"metadata": {"labels": {"compute.ostler.dev/user": null}}}), ALONE),
        (json!({"metadata": {"annotations": {"kubernetes.io/service-account.name": "ostler-manager"}}}), ALONE),
    ] {
        let patched = secrets.patch("walter", &PatchParams::default(), &Patch::Merge(&change)).await;
        expect(&change.to_string(), patched, verdict)?;
    }
    expect("deletes him", secrets.delete("walter", &DeleteParams::default()).await.map(drop), ALONE)
}
