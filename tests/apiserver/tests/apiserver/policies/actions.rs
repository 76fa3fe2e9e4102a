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
    let no_groups = r#"spec.securityGroups: user "carol" needs verb update on servers/securitygroups"#;
    expect("groups", stage.change(&carol, json!({"spec": {"securityGroups": []}})).await, Some(no_groups))?;
    expect("reboot", stage.change(&carol, reboot("1")).await, Some(no_reboot))?;

    let with_power: &[(&[&str], &[&str])] = &[(&["servers"], &["get", "patch"]), (&["servers/power"], &["update"])];
    grant(&admin, &stage.namespace, "carol", with_power).await?;
    expect("stop", stage.change(&carol, stop()).await, None)?;
    expect("start", stage.change(&carol, start()).await, None)?;
    expect("reboot", stage.change(&carol, reboot("1")).await, Some(no_reboot))?;

    let with_both: &[(&[&str], &[&str])] =
        &[(&["servers"], &["get", "patch"]), (&["servers/power", "servers/reboot"], &["update"])];
    grant(&admin, &stage.namespace, "carol", with_both).await?;
    expect("reboot", stage.change(&carol, reboot("1")).await, None)?;
    let evacuate = || json!({"spec": {"action": {"id": "2", "type": "Evacuate"}}});
    let no_evacuation = r#"spec.action: user "carol" needs verb update on servers/evacuate"#;
    expect("evacuate", stage.change(&carol, evacuate()).await, Some(no_evacuation))?;
    let with_evacuation: &[(&[&str], &[&str])] =
        &[(&["servers"], &["get", "patch"]), (&["servers/evacuate"], &["update"])];
    grant(&admin, &stage.namespace, "carol", with_evacuation).await?;
    expect("evacuate", stage.change(&carol, evacuate()).await, None)
}

#[tokio::test]
async fn the_shim_writes_for_users_whom_it_has_judged() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let shim = stage.cluster.shim().await?.client().await?;
    let change = json!({"spec": {"powerState": "Stopped", "action": {"id": "1", "type": "RebootSoft"}}});
    expect("the shim", stage.change(&shim, change).await, None)
}

#[tokio::test]
async fn each_way_between_power_states_and_each_action_needs_its_own_permission() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let (admin, dave) = (stage.cluster.admin().await?, stage.cluster.user("dave").await?);
    let power = |state: &str| json!({"spec": {"powerState": state}});
    let action = |type_: &str| json!({"spec": {"action": {"id": type_, "type": type_}}});
    let needs = |what: &str| format!(r#"user "dave" needs verb update on servers/{what}"#);
    let allow = async |subresource: &str| {
        let more = format!("servers/{subresource}");
        let rules: &[(&[&str], &[&str])] = &[(&["servers"], &["get", "patch"]), (&[&more], &["update"])];
        grant(&admin, &stage.namespace, "dave", rules).await
    };
    for (state, subresource) in [("Paused", "pause"), ("Suspended", "suspend"), ("Stopped", "power")] {
        allow("metadata").await?;
        expect(state, stage.change(&dave, power(state)).await, Some(&needs(subresource)))?;
        allow(subresource).await?;
        expect(state, stage.change(&dave, power(state)).await, None)?;
        allow("metadata").await?;
        expect("and back", stage.change(&dave, power("Running")).await, Some(&needs(subresource)))?;
        expect("and back", stage.change(&admin, power("Running")).await, None)?;
    }
    expect("paused", stage.change(&admin, power("Paused")).await, None)?;
    expect("both", stage.change(&dave, power("Stopped")).await, Some(&needs("power and servers/pause")))?;

    let hash = json!({"spec": {"adminPassword": {"hash": "$6$salt$0123456789abcdef"}}});
    expect("a password", stage.change(&dave, hash.clone()).await, Some(&needs("password")))?;
    expect("a password", stage.change(&admin, hash).await, None)?;
    for (field, value, subresource) in [
        ("flavor", json!("large"), "resize"),
        ("resizePolicy", json!("Verify"), "resize"),
        ("image", json!("other"), "rebuild"),
        ("keyPair", json!("me"), "rebuild"),
        ("userData", json!({"text": "a"}), "rebuild"),
        ("rescue", json!({}), "rescue"),
    ] {
        let change = json!({"spec": {field: value}});
        allow("metadata").await?;
        expect(field, stage.change(&dave, change.clone()).await, Some(&needs(subresource)))?;
        allow(subresource).await?;
        expect(field, stage.change(&dave, change).await, None)?;
    }
    allow("metadata").await?;
    for (type_, subresource) in [
        ("Rebuild", "rebuild"),
        ("ConfirmResize", "resize"),
        ("ChangePassword", "password"),
        ("ResetToActive", "resetstate"),
        ("ResetToError", "resetstate"),
    ] {
        expect(type_, stage.change(&dave, action(type_)).await, Some(&needs(subresource)))?;
        allow(subresource).await?;
        expect(type_, stage.change(&dave, action(type_)).await, None)?;
        allow("metadata").await?;
    }
    expect("a wish is taken back", stage.change(&dave, json!({"spec": {"action": null}})).await, None)
}

#[tokio::test]
async fn a_locked_server_is_left_alone_until_it_is_unlocked() -> Result<()> {
    let stage = Stage::with_server_on("host-1").await?;
    let (admin, erin) = (stage.cluster.admin().await?, stage.cluster.user("erin").await?);
    let lock =
        |locked: bool| json!({"spec": {"locked": locked, "lockedReason": locked.then_some("migration at noon")}});
    let rename = |name: &str| json!({"spec": {"displayName": name}});
    let verbs: &[&str] = &["get", "patch", "delete"];
    grant(&admin, &stage.namespace, "erin", &[(&["servers"], verbs)]).await?;
    let no_lock = r#"spec.locked: user "erin" needs verb update on servers/lock"#;
    expect("lock", stage.change(&erin, lock(true)).await, Some(no_lock))?;

    grant(&admin, &stage.namespace, "erin", &[(&["servers"], verbs), (&["servers/lock"], &["update"])]).await?;
    expect("lock", stage.change(&erin, lock(true)).await, None)?;
    let locked = "the Server is locked: user \"erin\" needs verb update on servers/locked to change it, until it is \
                  unlocked (migration at noon)";
    expect("a change", stage.change(&erin, rename("b")).await, Some(locked))?;
    let labels = json!({"metadata": {"labels": {"team": "a"}}});
    expect("labels are no wish", stage.change(&erin, labels).await, None)?;
    let servers = stage.servers(&erin)?;
    let deleted = servers.delete("a", &Default::default()).await;
    expect("deletion", deleted.map(|_| ()), Some("needs verb delete on servers/locked"))?;
    // Ours go on with their work.
    let finalizer = json!({"metadata": {"finalizers": ["compute.ostler.dev/guest", "example.org/more"]}});
    expect("the manager", stage.change(&stage.cluster.manager().await?.client().await?, finalizer).await, None)?;
    let shim = stage.cluster.shim().await?.client().await?;
    expect("the shim", stage.change(&shim, rename("by the shim")).await, None)?;
    expect("an administrator", stage.change(&admin, rename("c")).await, None)?;
    expect("unlock", stage.change(&erin, lock(false)).await, None)?;
    expect("a change", stage.change(&erin, rename("d")).await, None)?;
    expect("deletion", servers.delete("a", &Default::default()).await.map(|_| ()), None)
}
