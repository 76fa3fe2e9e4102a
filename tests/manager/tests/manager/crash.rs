//! The manager dies at the worst moment: another one leads, and nothing is given out twice.

use std::collections::HashSet;

use ostler_test_harness::{wait_for, workload};
use ostler_tests_manager::{PATIENCE, World};

const LOOPBACK: &[&str] = &["--image-allow-cidr=127.0.0.0/8"];

#[tokio::test]
async fn a_killed_leader_is_succeeded_and_no_address_is_given_twice() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.host("h1", 1 << 20).await?;
    let mut leader = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    world.server("first", "{flavor: small, image: tiny}").await?;
    world.wait_bound("first").await?;
    let _standby = workload::manager(&world.cluster, "b", LOOPBACK).await?;
    // Thirteen addresses in all, one is given. The leader dies while it gives out the others.
    for i in 0..12 {
        world.server(&format!("s{i}"), "{flavor: small, image: tiny}").await?;
        if i == 6 {
            leader.process.kill();
        }
    }
    wait_for("all to be bound by the successor", PATIENCE * 2, || async {
        world.beat("h1").await?;
        Ok((world.addresses().await?.len() == 13).then_some(()))
    })
    .await?;
    let addresses: HashSet<_> = world.addresses().await?.into_iter().map(|(_, a)| a).collect();
    assert_eq!(addresses.len(), 13, "an address was given twice");
    Ok(())
}

#[tokio::test]
async fn two_managers_at_once_bind_each_server_once() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.host("h1", 1 << 20).await?;
    let (a, b) = tokio::join!(
        workload::manager(&world.cluster, "a", LOOPBACK),
        workload::manager(&world.cluster, "b", LOOPBACK)
    );
    let (_a, _b) = (a?, b?);
    for i in 0..10 {
        world.server(&format!("s{i}"), "{flavor: small, image: tiny}").await?;
    }
    for i in 0..10 {
        world.wait_bound(&format!("s{i}")).await?;
    }
    let addresses: HashSet<_> = world.addresses().await?.into_iter().map(|(_, a)| a).collect();
    assert_eq!(addresses.len(), 10);
    Ok(())
}
