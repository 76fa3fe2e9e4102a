//! What IAM actions depend on (spec/iam-actions).

use anyhow::{Result, ensure};
use ostler_test_harness::{apply::apply_yaml, wait_for};
use ostler_tests_clients::{PATIENCE, World};
use reqwest::Method;
use serde_json::Value;

/// What nobody has.
const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn p12_what_an_iam_action_depends_on_is_asked_for_too() -> Result<()> {
    let world = World::shared().await?;
    let admin = world.admin().await?;
    let role = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: bytes-alone}
rules:
- {apiGroups: [compute.ostler.dev], resources: [images/bytes], verbs: [update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bytes-alone}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: bytes-alone}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: vic}]
";
    apply_yaml(&admin, role, &world.project).await?;
    let vic = world.http("vic", &world.project).await?;
    let path = format!("/image/v2/images/{NOTHING}/file");
    wait_for("the upload to be refused for what it depends on", PATIENCE, || async {
        let (status, fault): (u16, Value) = vic.send(Method::PUT, &path, Value::Null).await?;
        ensure!(status == 403, "{status} {fault}");
        let said = fault["message"].as_str().unwrap_or_default();
        Ok(said.contains("permission to update images in").then_some(()))
    })
    .await
}
