//! Nothing lost: the finalizer of a placed Server. Policies guest-finalizer and server-writers.

use anyhow::Result;
use ostler_tests_apiserver::verdict::expect;
use serde_json::{Value, json};

use super::{Stage, grant};

fn none() -> Value {
    json!({"metadata": {"finalizers": null}})
}

#[tokio::test]
async fn nobody_removes_the_finalizer_of_a_placed_server_by_hand() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let admin = stage.cluster.admin().await?;
    let refusal = r#"stands for the guest's disk on host "host-1": delete the Server and its host removes both"#;
    grant(&admin, &stage.namespace, "eve", &[(&["servers"], &["patch"])]).await?;
    expect("a user", stage.change(&stage.cluster.user("eve").await?, none()).await, Some(refusal))?;
    expect("an administrator", stage.change(&admin, none()).await, Some(refusal))?;
    let shim = stage.cluster.shim().await?.client().await?;
    expect("the shim", stage.change(&shim, none()).await, Some(refusal))?;
    let mine = json!({"metadata": {"finalizers": ["compute.ostler.dev/guest", "example.org/mine"]}});
    expect("adding another", stage.change(&admin, mine).await, None)
}

#[tokio::test]
async fn the_node_role_of_the_host_removes_it_and_no_other() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let other = stage.cluster.node("host-2").await?.client().await?;
    expect("other host", stage.change(&other, none()).await, Some(r#"the node role of "host-2" may write only"#))?;
    let own = stage.cluster.node("host-1").await?.client().await?;
    expect("own host", stage.change(&own, none()).await, None)
}

#[tokio::test]
async fn the_manager_removes_it_for_a_host_that_is_gone() -> Result<()> {
    let stage = Stage::with_server_on("gone").await?;
    expect("manager", stage.change(&stage.cluster.manager().await?.client().await?, none()).await, None)
}

#[tokio::test]
async fn a_server_that_was_never_placed_lets_it_go() -> Result<()> {
    let stage = Stage::with_server_on("").await?;
    expect("admin", stage.change(&stage.cluster.admin().await?, none()).await, None)
}

#[tokio::test]
async fn deletion_of_a_placed_server_waits_for_its_host() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let admin = stage.cluster.admin().await?;
    let servers = stage.servers(&admin)?;
    servers.delete("a", &kube::api::DeleteParams::background().grace_period(0)).await?;
    assert!(servers.get("a").await?.metadata.deletion_timestamp.is_some());
    assert!(stage.change(&admin, none()).await.is_err());
    let node = stage.cluster.node("host-1").await?.client().await?;
    expect("own host", stage.change(&node, none()).await, None)?;
    assert!(servers.get_opt("a").await?.is_none());
    Ok(())
}
