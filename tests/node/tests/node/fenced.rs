//! A machine that comes back although it was said to be off: it runs nothing, and gives up what lives elsewhere.

use anyhow::Result;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{Host, Server, find_condition};
use ostler_test_harness::wait_for;
use ostler_tests_node::{NODE, PATIENCE, World};
use serde_json::json;

async fn fence(world: &World, fenced: bool) -> Result<()> {
    let patch = json!({ "spec": { "fenced": fenced } });
    let hosts = Api::<Host>::all(world.client.clone());
    hosts.patch(NODE, &PatchParams::default(), &Patch::Merge(&patch)).await?;
    Ok(())
}

fn traces(world: &World, server: &Server) -> Result<Vec<String>> {
    let uid = server.uid().unwrap_or_default();
    Ok(world.remains()?.into_iter().filter(|trace| trace.contains(&uid)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fenced_host_runs_no_guest_and_removes_those_that_moved_away() -> Result<()> {
    let mut world = World::new("fence").await?;
    world.create("moves", "").await?;
    world.create("stays", "").await?;
    let (moves, stays) = (world.wait_ready("moves").await?, world.wait_ready("stays").await?);

    fence(&world, true).await?;
    wait_for("both guests to be off", PATIENCE, || async {
        Ok((world.qemu(&moves).is_err() && world.qemu(&stays).is_err()).then_some(()))
    })
    .await?;
    wait_for("the Host to say so", PATIENCE, || async {
        let conditions = world.host().await?.status.unwrap_or_default().conditions;
        Ok(find_condition(&conditions, "Ready").filter(|c| c.reason == "Fenced").map(drop))
    })
    .await?;

    // What the manager writes at an evacuation.
    let manager = world.cluster.manager().await?.client().await?;
    let servers = Api::<Server>::namespaced(manager, &world.namespace);
    let elsewhere = json!({ "status": { "host": "another" } });
    servers.patch_status("moves", &PatchParams::default(), &Patch::Merge(&elsewhere)).await?;

    world.kill_node_role();
    fence(&world, false).await?;
    assert!(!traces(&world, &moves)?.is_empty() && !traces(&world, &stays)?.is_empty());
    world.start_node_role().await?;
    wait_for("the one that stays to run", PATIENCE, || async { Ok(world.qemu(&stays).ok()) }).await?;
    assert_eq!(traces(&world, &moves)?, Vec::<String>::new(), "left of the one that moved");
    assert!(world.server("moves").await?.metadata.deletion_timestamp.is_none());
    Ok(())
}
