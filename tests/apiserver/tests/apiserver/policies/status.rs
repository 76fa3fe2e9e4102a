//! Who may write what of a Server: policy server-writers.

use anyhow::Result;
use ostler_test_harness::Identity;
use ostler_test_harness::chart::NAMESPACE;
use ostler_tests_apiserver::verdict::expect;
use serde_json::{Value, json};

use super::Stage;

const HOST: &str = "status.host is written by the manager alone";

fn state() -> Value {
    json!({"state": {"status": "ACTIVE", "vmState": "active", "powerState": "Running"}})
}

#[tokio::test]
async fn only_the_manager_places_a_server() -> Result<()> {
    let stage = Stage::with_server_on("").await?;
    let cluster = stage.cluster;
    let node = cluster.node("host-1").await?.client().await?;
    expect("admin places", stage.report(&cluster.admin().await?, json!({"host": "host-1"})).await, Some(HOST))?;
    expect("node role takes", stage.report(&node, json!({"host": "host-1"})).await, Some(HOST))?;
    let manager = cluster.manager().await?.client().await?;
    expect("manager places", stage.report(&manager, json!({"host": "host-1"})).await, None)?;
    expect("node role gives away", stage.report(&node, json!({"host": "host-2"})).await, Some(HOST))?;
    expect("node role drops", stage.report(&node, json!({"host": null})).await, Some(HOST))?;
    expect("manager moves", stage.report(&manager, json!({"host": "host-2"})).await, None)
}

#[tokio::test]
async fn a_node_role_reports_only_on_servers_of_its_own_host() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let own = stage.cluster.node("host-1").await?.client().await?;
    let other = stage.cluster.node("host-2").await?.client().await?;
    expect("own host", stage.report(&own, state()).await, None)?;
    let refusal = r#"the node role of "host-2" may write only Servers whose status.host is that machine, not "host-1""#;
    expect("other host", stage.report(&other, json!({"launchedAt": "2026-01-01T00:00:00Z"})).await, Some(refusal))
}

#[tokio::test]
async fn a_node_role_does_not_report_on_a_server_without_a_host() -> Result<()> {
    let stage = Stage::with_server_on("").await?;
    let node = stage.cluster.node("host-1").await?.client().await?;
    expect("no host", stage.report(&node, state()).await, Some(r#"not """#))
}

#[tokio::test]
async fn a_node_token_that_is_bound_to_no_machine_writes_nothing() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let cluster = stage.cluster;
    let dir = cluster.scratch().join("unbound");
    std::fs::create_dir_all(&dir)?;
    let unbound = Identity::make(&cluster.admin().await?, cluster.kubeconfig(), &dir, "node", None).await?;
    assert_eq!(unbound.user, format!("system:serviceaccount:{NAMESPACE}:ostler-node"));
    expect("unbound", stage.report(&unbound.client().await?, state()).await, Some(r#"the node role of """#))
}

#[tokio::test]
async fn a_node_role_does_not_rewrite_what_the_manager_resolved() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let node = stage.cluster.node("host-1").await?.client().await?;
    let alone = Some("status.addresses, flavor, resize, image, rescueImage, key, snapshots and shelf are written");
    let order = json!({"snapshots": [{"image": "i", "uid": "u"}]});
    expect("snapshots", stage.report(&node, order).await, alone)?;
    let key = json!({"key": {"name": "k", "publicKey": "ssh-ed25519 AAAA"}});
    expect("key", stage.report(&node, key).await, alone)?;
    let address =
        json!({"addresses": [{"network": "n", "label": "n", "mac": "m", "address": "10.0.0.1", "prefixLength": 24}]});
    expect("addresses", stage.report(&node, address).await, alone)
}

#[tokio::test]
async fn neither_manager_nor_node_role_changes_the_wish() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let wish = Some("spec and labels of a Server are its owner's");
    for identity in [stage.cluster.manager().await?, stage.cluster.node("host-1").await?] {
        let client = identity.client().await?;
        expect("spec", stage.change(&client, json!({"spec": {"displayName": "x"}})).await, wish)?;
        expect("labels", stage.change(&client, json!({"metadata": {"labels": {"a": "b"}}})).await, wish)?;
    }
    Ok(())
}
