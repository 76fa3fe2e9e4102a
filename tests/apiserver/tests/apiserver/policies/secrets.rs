//! The Secrets that the shim may make: policy shim-secrets.

use anyhow::Result;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams, PostParams};
use ostler_test_harness::{Cluster, chart::NAMESPACE};
use ostler_tests_apiserver::verdict::expect;
use serde_json::{Value, json};

fn secret(value: Value) -> Result<Secret> {
    Ok(serde_json::from_value(value)?)
}

#[tokio::test]
async fn the_shim_cannot_have_a_token_made_for_another_service_account() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let secrets: Api<Secret> = Api::namespaced(cluster.shim().await?.client().await?, NAMESPACE);
    let alone = Some("the shim writes the Secrets ostler-token-keys and ostler-revoked-tokens alone");
    let create = PostParams::default();
    let token = json!({"metadata": {"annotations": {"kubernetes.io/service-account.name": "ostler-manager"}}});
    for name in ["stolen", "ostler-token-keys"] {
        let mut wanted = token.clone();
        wanted["metadata"]["name"] = json!(name);
        wanted["type"] = json!("kubernetes.io/service-account-token");
        expect(name, secrets.create(&create, &secret(wanted)?).await, alone)?;
    }
    let user = secret(json!({"metadata": {"name": "user", "labels": {"compute.ostler.dev/user": "true"}}}))?;
    expect("a user", secrets.create(&create, &user).await, alone)?;
    for name in ["ostler-token-keys", "ostler-revoked-tokens"] {
        expect(name, secrets.create(&create, &secret(json!({"metadata": {"name": name}}))?).await, None)?;
    }
    let revoke = Patch::Merge(json!({"stringData": {"a": "b"}}));
    expect("revokes", secrets.patch("ostler-revoked-tokens", &PatchParams::default(), &revoke).await, None)?;
    let keys = secrets.patch("ostler-token-keys", &PatchParams::default(), &revoke).await;
    expect("changes its keys", keys, Some("cannot patch resource"))?;
    let tls = secrets.patch("ostler-api-shim-tls", &PatchParams::default(), &revoke).await;
    expect("changes its certificate", tls, Some("cannot patch resource"))
}
