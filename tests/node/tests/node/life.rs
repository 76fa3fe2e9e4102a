//! The life of a guest, and what it costs.

use std::time::Duration;

use anyhow::Result;
use kube::ResourceExt;
use ostler_test_harness::api_requests::ApiRequests;
use ostler_tests_node::{World, state};
use serde_json::json;

const GROUPS: [&str; 2] = ["compute.ostler.dev", "events.k8s.io"];

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_made_stopped_started_rebooted_and_removed_and_nothing_is_left() -> Result<()> {
    let world = World::new("life").await?;
    world.wait_image("tiny").await?;
    let before = ApiRequests::read(&world.client).await?;
    world.create("a", ", metadata: {role: web}, userData: {text: \"#!/bin/sh\\necho HELLO-$((40+2))\\n\"}").await?;
    let server = world.wait_ready("a").await?;
    assert_eq!(state(&server), "ACTIVE");
    let line = world.wait_booted(&server, 1).await?;
    assert!(line.contains("host=a") && line.contains("configdrive"), "{line}");
    let address = &server.status.as_ref().unwrap().addresses[0].address;
    assert!(line.contains(address.as_str()), "{line} has not {address}");
    ostler_test_harness::wait_for("user data", ostler_tests_node::PATIENCE, || async {
        Ok(world.console(&server)?.contains("HELLO-42").then_some(()))
    })
    .await?;

    // Two seconds for an Event or a write that should not be.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let writes = ApiRequests::read(&world.client).await?.since(&before).writes(&GROUPS);
    let ours: Vec<_> = writes.iter().filter(|(r, _)| r.resource == "servers" || r.resource == "events").collect();
    let total: u64 = ours.iter().map(|(_, n)| n).sum();
    assert!(total <= 5, "the apply and at most four writes: {ours:#?}");

    let qemu = world.qemu(&server)?;
    world.change("a", json!({ "powerState": "Stopped" })).await?;
    let stopped = world.wait_ready("a").await?;
    assert_eq!(state(&stopped), "SHUTOFF");
    world.change("a", json!({ "powerState": "Running" })).await?;
    assert_eq!(state(&world.wait_ready("a").await?), "ACTIVE");
    assert_ne!(world.qemu(&server)?, qemu);
    let line = world.wait_booted(&server, 2).await?;
    assert!(line.contains("boots=2"), "the disk was kept: {line}");

    for (boots, kind) in [(3, "RebootHard"), (4, "RebootSoft")] {
        world.change("a", json!({ "action": { "id": kind, "type": kind } })).await?;
        world
            .wait("a", kind, |s| s.status.as_ref().unwrap().last_action.as_ref().is_some_and(|a| a.id == kind))
            .await?;
        world.wait_ready("a").await?;
        world.wait_booted(&server, boots).await?;
    }

    world.delete("a").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    assert!(server.uid().is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_without_network_and_config_drive_that_is_made_stopped_can_be_started_and_deleted() -> Result<()> {
    let world = World::new("bare").await?;
    world.create("b", ", networks: [], configDrive: false, powerState: Stopped").await?;
    let server = world.wait_ready("b").await?;
    assert_eq!((state(&server), server.status.as_ref().unwrap().launched_at.is_some()), ("SHUTOFF", false));
    world.change("b", json!({ "powerState": "Running" })).await?;
    world.wait_ready("b").await?;
    // It is deleted while it boots.
    world.delete("b").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}
