//! Quotas: what kubectl asks for beyond them is not placed, however many ask at once.

use kube::{Api, api::ListParams};
use ostler_crds::{Server, find_condition, names::reason};
use ostler_test_harness::{wait_for, workload};
use ostler_tests_manager::{PATIENCE, World};

const LOOPBACK: &[&str] = &["--image-allow-cidr=127.0.0.0/8"];

fn quota(name: &str, limits: &str) -> String {
    format!(
        "{{apiVersion: compute.ostler.dev/v1alpha1, kind: ProjectQuota, metadata: {{name: {name}}}, spec: {{limits: {limits}}}}}"
    )
}

/// How many Servers are bound, and how many are told that they may not be.
async fn counts(servers: &Api<Server>) -> anyhow::Result<(usize, usize)> {
    let all = servers.list(&ListParams::default()).await?;
    let refused = |s: &Server| {
        let conditions = s.status.as_ref().map_or(&[][..], |s| &s.conditions);
        find_condition(conditions, "Stalled").is_some_and(|c| c.reason == reason::QUOTA_EXCEEDED)
    };
    let bound = all.iter().filter(|s| s.status.as_ref().is_some_and(|s| s.host.is_some())).count();
    Ok((bound, all.iter().filter(|s| refused(s)).count()))
}

#[tokio::test]
async fn of_many_servers_at_once_as_many_are_placed_as_the_quota_lets_in() -> anyhow::Result<()> {
    let world = World::new().await?;
    let _manager = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    world.apply(&quota("class.default", "{instances: 100, cores: 3}")).await?;
    world.apply(&quota(&world.namespace, "{memoryMiB: 512}")).await?;
    for i in 0..8 {
        world.server(&format!("s{i}"), "{flavor: small, image: tiny}").await?;
    }
    // All of them are waiting when there is room.
    world.host("h1", 16_384).await?;
    let servers = world.servers();
    let wanted = async |bound: usize| {
        wait_for("as many as fit", PATIENCE, || async {
            Ok((counts(&servers).await? == (bound, 8 - bound)).then_some(()))
        })
        .await
    };
    wanted(3).await?;
    // The project's own word goes before the one for all; 512 MiB are the next obstacle.
    world.apply(&quota(&world.namespace, "{cores: -1, memoryMiB: 512}")).await?;
    wanted(4).await?;
    let refused = servers.list(&ListParams::default()).await?.into_iter().find_map(|s| {
        let conditions = s.status?.conditions;
        find_condition(&conditions, "Stalled").map(|c| c.message.clone())
    });
    let said = refused.unwrap_or_default();
    assert!(said.contains("Quota exceeded for ram: Requested 128, but already used 512 of 512"), "{said}");
    // A lower limit takes nothing away, and a higher one lets in.
    world.apply(&quota(&world.namespace, "{cores: 1, memoryMiB: 128}")).await?;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    wanted(4).await?;
    world.apply(&quota(&world.namespace, "{cores: -1, memoryMiB: 1024}")).await?;
    wanted(8).await
}
