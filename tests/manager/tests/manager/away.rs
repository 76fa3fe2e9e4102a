//! The API server stands still while two managers are there: one leads afterwards, and nothing was given out twice.

use std::{collections::HashSet, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use ostler_crds::names::MANAGER_LEASE;
use ostler_test_harness::{chart::NAMESPACE, wait_for, workload};
use ostler_tests_manager::{PATIENCE, World};

const LOOPBACK: &[&str] = &["--image-allow-cidr=127.0.0.0/8"];

#[tokio::test]
async fn a_leader_stops_when_the_api_server_stands_still_and_no_address_is_given_twice() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.host("h1", 1 << 20).await?;
    let mut leader = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    world.server("first", "{flavor: small, image: tiny}").await?;
    world.wait_bound("first").await?;
    let mut standby = workload::manager(&world.cluster, "b", LOOPBACK).await?;
    // Some are on their way when it stops.
    for i in 0..6 {
        world.server(&format!("s{i}"), "{flavor: small, image: tiny}").await?;
    }
    world.cluster.control_plane().freeze()?;
    wait_for("the leader to stop", PATIENCE, || async {
        Ok(leader.process.log().contains("no longer leading").then_some(()))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.cluster.control_plane().thaw()?;
    for i in 6..12 {
        world.server(&format!("s{i}"), "{flavor: small, image: tiny}").await?;
    }
    wait_for("all to be bound", PATIENCE * 3, || async {
        world.beat("h1").await?;
        Ok((world.addresses().await?.len() == 13).then_some(()))
    })
    .await?;
    let addresses: HashSet<_> = world.addresses().await?.into_iter().map(|(_, a)| a).collect();
    assert_eq!(addresses.len(), 13, "an address was given twice");
    assert!(leader.process.ended().is_none() && standby.process.ended().is_none(), "a manager ended");

    // A leader that ends well gives the Lease back, so that its successor need not wait.
    let leases = Api::<Lease>::namespaced(world.client.clone(), NAMESPACE);
    let holder = leases.get(MANAGER_LEASE).await?.spec.and_then(|s| s.holder_identity);
    let (ends, stays) = if holder.as_deref() == Some("a") { (leader, &standby) } else { (standby, &leader) };
    assert!(ends.process.stop(PATIENCE)?.success());
    let led = |log: String| log.matches("INFO leading").count();
    let before = led(stays.process.log());
    wait_for("the other one to lead", Duration::from_secs(6), || async {
        Ok((led(stays.process.log()) > before).then_some(()))
    })
    .await
}
