//! Guests that stand still, in memory and on disk, and passwords through the guest's agent.

use anyhow::{Context, Result, ensure};
use ostler_crds::{Server, server::LastAction};
use ostler_test_harness::wait_for;
use ostler_tests_node::{PATIENCE, World, condition_reason, state};
use serde_json::json;

/// `openssl passwd -6 -salt ostler secret-0815`, less the password.
const HASH: &str = "$6$ostler$Yt3nUl7Q1LkGqkPn4pB3q6i1v6a9o7oJw2v0yJ2t4F4w5K6e7R8t9Y0u1I2o3P4a5S6d7F8g9H0j1K2l3Z4x5.";

async fn power(world: &World, wish: &str, word: &str) -> Result<Server> {
    world.change("a", json!({ "powerState": wish })).await?;
    let server = world.wait_ready("a").await?;
    ensure!(state(&server) == word, "{wish} shows {}", state(&server));
    Ok(server)
}

async fn act(world: &World, id: &str, type_: &str) -> Result<LastAction> {
    world.change("a", json!({ "action": { "id": id, "type": type_ } })).await?;
    let echo = |s: &Server| s.status.as_ref().and_then(|s| s.last_action.clone()).filter(|a| a.id == id);
    let server = world.wait("a", id, |s| echo(s).is_some()).await?;
    echo(&server).context("no echo")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_paused_and_suspended_and_its_memory_outlives_the_node_role_and_libvirtd() -> Result<()> {
    let mut world = World::new("still").await?;
    world.wait_image("tiny").await?;
    world.create("a", &format!(", adminPassword: {{hash: \"{HASH}\"}}")).await?;
    let server = world.wait_ready("a").await?;
    // It still boots, so its agent cannot be there yet.
    let echo = act(&world, "early", "ChangePassword").await?;
    ensure!(!echo.succeeded && echo.message.as_ref().is_some_and(|m| m.contains("agent")), "{echo:?}");
    ensure!(state(&world.server("a").await?) == "ACTIVE");
    world.wait_booted(&server, 1).await?;

    let qemu = world.qemu(&server)?;
    power(&world, "Paused", "PAUSED").await?;
    power(&world, "Running", "ACTIVE").await?;
    ensure!(world.qemu(&server)? == qemu, "the same QEMU");

    power(&world, "Suspended", "SUSPENDED").await?;
    ensure!(world.qemu(&server).is_err(), "no QEMU");
    world.kill_node_role();
    world.libvirt.restart_libvirtd()?;
    world.start_node_role().await?;
    world.change("a", json!({ "description": "a pass after the restart" })).await?;
    ensure!(state(&world.wait_ready("a").await?) == "SUSPENDED");
    power(&world, "Running", "ACTIVE").await?;
    // The agent of the boot before answers: nothing was booted past.
    wait_for("a password", PATIENCE, async || {
        let id = format!("late-{}", std::time::UNIX_EPOCH.elapsed()?.as_millis());
        Ok(act(&world, &id, "ChangePassword").await?.succeeded.then_some(()))
    })
    .await?;
    let uid = server.metadata.uid.clone().context("no uid")?;
    ensure!(world.libvirt.ready_line(&uid, 2).is_none(), "no second boot");

    power(&world, "Paused", "PAUSED").await?;
    power(&world, "Suspended", "SUSPENDED").await?;
    power(&world, "Stopped", "SHUTOFF").await?;
    power(&world, "Running", "ACTIVE").await?;
    world.wait_booted(&server, 2).await?;

    ensure!(act(&world, "e", "ResetToError").await?.succeeded);
    let error = world.server("a").await?;
    ensure!((state(&error), condition_reason(&error, "Ready")) == ("ERROR", Some("SetToError")));
    ensure!(act(&world, "f", "ResetToActive").await?.succeeded);
    ensure!(state(&world.wait_ready("a").await?) == "ACTIVE");

    power(&world, "Suspended", "SUSPENDED").await?;
    world.delete("a").await?;
    ensure!(world.remains()?.is_empty());
    let saved = world.libvirt.enter(&["ls", "/var/lib/libvirt/qemu/save"])?;
    ensure!(saved.trim().is_empty(), "{saved}");
    Ok(())
}
