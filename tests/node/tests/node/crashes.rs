//! Whatever dies, guests live, and what was begun is finished.

use std::time::Duration;

use anyhow::Result;
use ostler_crds::names::reason;
use ostler_tests_node::{World, condition_reason, state};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_node_role_while_it_makes_a_guest_leaves_one_guest_in_the_end() -> Result<()> {
    let mut world = World::new("kill").await?;
    world.wait_image("tiny").await?;
    for (i, millis) in [20_u64, 120, 350].into_iter().enumerate() {
        let name = format!("k{i}");
        world.create(&name, ", powerState: Running").await?;
        world.wait(&name, "bound", |s| s.status.as_ref().is_some_and(|s| s.host.is_some())).await?;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        world.kill_node_role();
        world.start_node_role().await?;
        let server = world.wait_ready(&name).await?;
        assert_eq!(state(&server), "ACTIVE");
        world.wait_booted(&server, 1).await?;
        assert_eq!(world.domains()?.len(), 1);
        world.kill_node_role();
        // A deletion that nobody is there to carry out is carried out later.
        let gone = world.servers().delete(&name, &Default::default()).await?;
        assert!(gone.left().is_some(), "a finalizer holds it");
        world.start_node_role().await?;
        ostler_test_harness::wait_for("it to be gone", ostler_tests_node::PATIENCE, || async {
            Ok(world.servers().get_opt(&name).await?.is_none().then_some(()))
        })
        .await?;
        assert_eq!(world.remains()?, Vec::<String>::new());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_guest_outlives_the_node_role_and_libvirtd() -> Result<()> {
    let mut world = World::new("live").await?;
    world.create("a", "").await?;
    let server = world.wait_ready("a").await?;
    world.wait_booted(&server, 1).await?;
    let (qemu, version) = (world.qemu(&server)?, world.server("a").await?.metadata.resource_version);

    world.kill_node_role();
    world.start_node_role().await?;
    // Its first pass is over: one that meets libvirt's absence tells of it, which is another test's matter.
    tokio::time::sleep(Duration::from_secs(3)).await;
    world.libvirt.restart_libvirtd()?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world.qemu(&server)?, qemu);
    let after = world.server("a").await?;
    assert_eq!(condition_reason(&after, "Ready"), Some(reason::AS_WISHED));
    assert_eq!(after.metadata.resource_version, version, "nothing was written: {:?}", after.status);

    // And it can still be handled by the connection that was made anew.
    world.change("a", json!({ "action": { "id": "x", "type": "RebootHard" } })).await?;
    world.wait_ready("a").await?;
    world.wait_booted(&server, 2).await?;
    assert_ne!(world.qemu(&server)?, qemu);

    // A guest whose QEMU dies is started again.
    let pid = world.qemu(&server)?;
    world.libvirt.enter(&["kill", "-9", pid.split(' ').next().unwrap()])?;
    world.wait_booted(&server, 3).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_role_on_the_same_host_is_refused() -> Result<()> {
    let mut world = World::new("two").await?;
    let first = world.node_role.take();
    let second = world.start_node_role().await;
    let told = format!("{:#}", second.unwrap_err());
    assert!(told.contains("another node role runs on this host"), "{told}");
    drop(first);
    world.start_node_role().await
}
