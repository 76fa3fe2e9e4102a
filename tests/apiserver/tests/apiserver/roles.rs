//! What a user may do whom an administrator binds to one of Kubernetes' own roles, which the chart's roles extend.

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::rbac::v1::{ClusterRole, RoleBinding};
use kube::Client;
use kube::api::{Api, PostParams};
use ostler_test_harness::{Cluster, wait_for};
use serde_json::json;

async fn may(admin: &Client, user: &str, namespace: &str, verb: &str, resource: &str) -> Result<bool> {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let review: SubjectAccessReview = serde_json::from_value(json!({"spec": {
        "user": user, "groups": ["system:authenticated"],
        "resourceAttributes": {
            "group": "compute.ostler.dev", "namespace": namespace, "verb": verb,
            "resource": resource, "subresource": subresource,
        },
    }}))?;
    let answer = Api::<SubjectAccessReview>::all(admin.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|s| s.allowed))
}

/// The controller manager copies the chart's rules into `view`, `edit` and `admin` a moment after they were made.
async fn aggregated(admin: &Client) -> Result<()> {
    let roles: Api<ClusterRole> = Api::all(admin.clone());
    wait_for("the ClusterRole admin to have our rules", Duration::from_secs(20), || async {
        let rules = roles.get("admin").await?.rules.unwrap_or_default();
        let has = |resource: &str| rules.iter().any(|r| r.resources.iter().flatten().any(|x| x == resource));
        Ok((has("servers/host") && has("servers/power") && has("servers/console")).then_some(()))
    })
    .await
}

#[tokio::test]
async fn roles_grant_what_they_say_and_no_more() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (admin, namespace) = (cluster.admin().await?, cluster.namespace().await?);
    aggregated(&admin).await?;
    for role in ["view", "edit", "admin", "ostler-platform-admin"] {
        let binding: RoleBinding = serde_json::from_value(json!({
            "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": format!("a-{role}")}],
        }))?;
        Api::<RoleBinding>::namespaced(admin.clone(), &namespace).create(&PostParams::default(), &binding).await?;
    }
    // (verb, resource, least role: 0 anybody, 1 view, 2 edit, 3 admin, 4 platform admin, 5 nobody)
    let table = [
        ("list", "flavors", 0),
        ("watch", "networks", 0),
        ("list", "hosts", 4),
        ("list", "servers", 1),
        ("get", "images", 1),
        ("get", "keypairs", 1),
        ("get", "servers/console", 1),
        ("get", "images/bytes", 1),
        ("create", "servers", 2),
        ("patch", "servers", 2),
        ("deletecollection", "images", 2),
        ("delete", "keypairs", 2),
        ("update", "servers/power", 2),
        ("update", "servers/reboot", 2),
        ("get", "servers/metadata", 1),
        ("update", "servers/metadata", 2),
        ("update", "servers/pause", 2),
        ("update", "servers/rebuild", 2),
        ("update", "servers/rescue", 2),
        ("update", "servers/resize", 2),
        ("update", "servers/suspend", 2),
        ("update", "servers/password", 2),
        ("update", "servers/lock", 2),
        ("update", "servers/locked", 4),
        ("delete", "servers/locked", 4),
        ("update", "servers/resetstate", 4),
        ("update", "images/bytes", 2),
        ("update", "servers/shelve", 2),
        ("update", "servers/createimage", 2),
        ("update", "servers/securitygroups", 2),
        ("update", "servers/migrate", 4),
        ("update", "servers/evacuate", 4),
        ("list", "securitygroups", 1),
        ("patch", "securitygroups", 2),
        ("delete", "securitygroups", 2),
        ("list", "servergroups", 1),
        ("create", "servergroups", 2),
        ("delete", "servergroups", 2),
        ("get", "servers/host", 3),
        ("update", "images/publicize", 4),
        ("create", "flavors", 4),
        ("delete", "networks", 4),
        ("update", "servers/status", 5),
        ("patch", "servers/status", 5),
        ("patch", "images/status", 5),
        ("patch", "hosts/status", 5),
    ];
    let users = ["a-nobody", "a-view", "a-edit", "a-admin", "a-ostler-platform-admin"];
    let mut wrong = Vec::new();
    for (verb, resource, least) in table {
        for (rank, user) in users.iter().enumerate() {
            let granted = may(&admin, user, &namespace, verb, resource).await?;
            if granted != (rank >= least) {
                wrong.push(format!("{user} may {verb} {resource}: {granted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let elsewhere = cluster.namespace().await?;
    assert!(!may(&admin, "a-admin", &elsewhere, "list", "servers").await?);
    Ok(())
}
