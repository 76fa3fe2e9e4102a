//! A field that stands for an action needs the permission of that action: policy server-actions.

use anyhow::Result;
use ostler_tests_apiserver::verdict::expect;
use serde_json::json;

use super::{Stage, grant};

#[tokio::test]
async fn starting_and_rebooting_need_their_own_permissions() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let admin = stage.cluster.admin().await?;
    let stop = || json!({"spec": {"powerState": "Stopped"}});
    let start = || json!({"spec": {"powerState": "Running"}});
    let reboot = |id: &str| json!({"spec": {"action": {"id": id, "type": "RebootHard"}}});
    let no_power = r#"spec.powerState: user "carol" needs verb update on servers/power"#;
    let no_metadata = r#"spec.metadata: user "carol" needs verb update on servers/metadata"#;
    let no_reboot = r#"spec.action: user "carol" needs verb update on servers/reboot"#;

    let carol = stage.cluster.user("carol").await?;
    grant(&admin, &stage.namespace, "carol", &[(&["servers"], &["get", "patch"])]).await?;
    expect("names are free", stage.change(&carol, json!({"spec": {"displayName": "new"}})).await, None)?;
    expect("stop", stage.change(&carol, stop()).await, Some(no_power))?;
    expect("metadata", stage.change(&carol, json!({"spec": {"metadata": {"a": "b"}}})).await, Some(no_metadata))?;
    expect("reboot", stage.change(&carol, reboot("1")).await, Some(no_reboot))?;

    let with_power: &[(&[&str], &[&str])] = &[(&["servers"], &["get", "patch"]), (&["servers/power"], &["update"])];
    grant(&admin, &stage.namespace, "carol", with_power).await?;
    expect("stop", stage.change(&carol, stop()).await, None)?;
    expect("start", stage.change(&carol, start()).await, None)?;
    expect("reboot", stage.change(&carol, reboot("1")).await, Some(no_reboot))?;

    let with_both: &[(&[&str], &[&str])] =
        &[(&["servers"], &["get", "patch"]), (&["servers/power", "servers/reboot"], &["update"])];
    grant(&admin, &stage.namespace, "carol", with_both).await?;
    expect("reboot", stage.change(&carol, reboot("1")).await, None)
}

#[tokio::test]
async fn the_shim_writes_for_users_whom_it_has_judged() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let shim = stage.cluster.shim().await?.client().await?;
    let change = json!({"spec": {"powerState": "Stopped", "action": {"id": "1", "type": "RebootSoft"}}});
    expect("the shim", stage.change(&shim, change).await, None)
}
