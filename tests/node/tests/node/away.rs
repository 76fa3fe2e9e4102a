//! The API server is away: guests run on and are looked after, nobody ends, and what was asked is done when it is back.

use std::time::Duration;

use anyhow::{Context, Result};
use kube::ResourceExt;
use ostler_tests_node::{World, state};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_looked_after_while_the_api_server_is_away_and_wishes_are_done_when_it_is_back() -> Result<()> {
    let mut world = World::new("away").await?;
    world.create("a", "").await?;
    world.create("b", "").await?;
    let (a, b) = (world.wait_ready("a").await?, world.wait_ready("b").await?);
    world.wait_booted(&a, 1).await?;
    let (qemu_a, qemu_b) = (world.qemu(&a)?, world.qemu(&b)?);

    // Connections are refused. A guest that dies meanwhile is started again.
    world.cluster.control_plane().take_away()?;
    world.libvirt.enter(&["kill", "-9", qemu_a.split(' ').next().context("pid")?])?;
    world.wait_booted(&a, 2).await?;
    // One that starts now has nobody to ask. It waits, and touches nothing.
    world.restart_node_role()?;
    // With the boot before, a minute without an API server.
    tokio::time::sleep(Duration::from_secs(50)).await;
    world.cluster.control_plane().bring_back().await?;
    assert!(world.manager.process.ended().is_none(), "the manager ended");
    assert!(world.node_role.as_mut().context("no node role")?.process.ended().is_none(), "the node role ended");
    world.change("a", json!({ "powerState": "Stopped" })).await?;
    assert_eq!(state(&world.wait_ready("a").await?), "SHUTOFF");
    assert_eq!(world.qemu(&b)?, qemu_b);

    // Connections stay and nobody answers.
    world.cluster.control_plane().freeze()?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    world.libvirt.enter(&["kill", "-9", qemu_b.split(' ').next().context("pid")?])?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_ne!(world.qemu(&b)?, qemu_b, "it runs again");
    world.cluster.control_plane().thaw()?;
    world.create("c", "").await?;
    world.wait_ready("b").await?;
    let c = world.wait_ready("c").await?;
    let addresses: std::collections::HashSet<_> =
        [&a, &b, &c].iter().map(|s| s.status.as_ref().unwrap().addresses[0].address.clone()).collect();
    assert_eq!(addresses.len(), 3);
    assert!(world.node_role.as_mut().context("no node role")?.process.ended().is_none(), "the node role ended");
    for name in [&a, &b, &c].map(|s| s.name_any()) {
        world.delete(&name).await?;
    }
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}
