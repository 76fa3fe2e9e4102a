//! A Host that is not heard of: its Servers are UNKNOWN, and leave it only when it is fenced as well (S-16).

use std::time::Duration;

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use ostler_crds::{Host, Server, find_condition};
use ostler_test_harness::{wait_for, workload};
use ostler_tests_manager::{PATIENCE, World};
use serde_json::json;

/// A heartbeat counts for 40 s, and a new leader listens for as long.
const SILENCE: Duration = Duration::from_secs(90);

async fn wait(world: &World, what: &str, is: impl Fn(&Server) -> bool) -> anyhow::Result<Server> {
    let api = world.servers();
    wait_for(what, SILENCE, || async {
        world.beat("h2").await?;
        Ok(api.get_opt("a").await?.filter(&is))
    })
    .await
}

fn reason(server: &Server, type_: &str) -> String {
    let conditions = server.status.as_ref().map_or(&[][..], |s| &s.conditions);
    find_condition(conditions, type_).map(|c| c.reason.clone()).unwrap_or_default()
}

fn host(server: &Server) -> Option<&str> {
    server.status.as_ref()?.host.as_deref()
}

async fn ask_to_leave(world: &World) -> anyhow::Result<()> {
    let patch = json!({ "spec": { "action": { "id": "1", "type": "Evacuate" } } });
    world.servers().patch("a", &PatchParams::default(), &Patch::Merge(&patch)).await?;
    Ok(())
}

async fn fence(world: &World) -> anyhow::Result<()> {
    let hosts = Api::<Host>::all(world.client.clone());
    hosts.patch("h1", &PatchParams::default(), &Patch::Merge(&json!({ "spec": { "fenced": true } }))).await?;
    Ok(())
}

#[tokio::test]
async fn s16_silence_is_told_and_only_a_fenced_host_is_left() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.host("h1", 1 << 20).await?;
    let _manager = workload::manager(&world.cluster, "a", &["--image-allow-cidr=127.0.0.0/8"]).await?;
    world.server("a", "{flavor: small, image: tiny}").await?;
    let bound = world.wait_bound("a").await?;
    world.host("h2", 1 << 20).await?;

    let unknown = wait(&world, "the Server to be UNKNOWN", |s| reason(s, "Ready") == "HostSilent").await?;
    let status = unknown.status.clone().unwrap();
    assert_eq!(status.state.unwrap().status, "UNKNOWN");
    assert_eq!((host(&unknown), &status.addresses), (Some("h1"), &bound.status.clone().unwrap().addresses));
    assert!(status.flavor.is_some() && status.image.is_some(), "what the manager wrote before is lost");

    // A wish to leave changes nothing as long as nobody states that the machine is off.
    ask_to_leave(&world).await?;
    for _ in 0..8 {
        world.beat("h2").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(host(&world.servers().get("a").await?), Some("h1"));

    fence(&world).await?;
    let moved = wait(&world, "the Server to be evacuated", |s| host(s) == Some("h2")).await?;
    let status = moved.status.clone().unwrap();
    assert_eq!(status.state.unwrap().status, "REBUILD");
    assert_eq!(status.addresses, bound.status.unwrap().addresses, "a Server keeps its addresses");
    assert_eq!(reason(&moved, "Scheduled"), "Bound");
    // Once is enough: the action is open until the new node role echoes it, and its Host lives.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.servers().get("a").await?.metadata.resource_version, moved.metadata.resource_version);
    Ok(())
}

#[tokio::test]
async fn a_host_that_is_fenced_but_heard_is_not_left() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.host("h1", 1 << 20).await?;
    let _manager = workload::manager(&world.cluster, "a", &["--image-allow-cidr=127.0.0.0/8"]).await?;
    world.server("a", "{flavor: small, image: tiny}").await?;
    world.wait_bound("a").await?;
    world.host("h2", 1 << 20).await?;
    ask_to_leave(&world).await?;
    fence(&world).await?;
    // Longer than a new leader listens before it acts.
    let until = std::time::Instant::now() + Duration::from_secs(40) + PATIENCE / 3;
    while std::time::Instant::now() < until {
        tokio::try_join!(world.beat("h1"), world.beat("h2"))?;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert_eq!(host(&world.servers().get("a").await?), Some("h1"));
    Ok(())
}

#[tokio::test]
async fn hosts_whose_clocks_are_an_hour_off_are_heard_as_any_other() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.host("h1", 1 << 20).await?;
    world.host("h2", 1 << 20).await?;
    let _manager = workload::manager(&world.cluster, "a", &["--image-allow-cidr=127.0.0.0/8"]).await?;
    let hour = jiff::SignedDuration::from_hours(1);
    let beats = async || {
        let now = jiff::Timestamp::now();
        tokio::try_join!(world.beat_at("h1", now.checked_add(hour)?), world.beat_at("h2", now.checked_sub(hour)?))?;
        anyhow::Ok(())
    };
    // Longer than the first sight of them counts.
    let until = std::time::Instant::now() + Duration::from_secs(46);
    while std::time::Instant::now() < until {
        beats().await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    for (name, host) in [("a", "h1"), ("b", "h2")] {
        world.server(name, &format!("{{flavor: small, image: tiny, nodeSelector: {{at: {host}}}}}")).await?;
    }
    let hosts = Api::<Host>::all(world.client.clone());
    for host in ["h1", "h2"] {
        let labels = json!({ "metadata": { "labels": { "at": host } } });
        hosts.patch(host, &PatchParams::default(), &Patch::Merge(&labels)).await?;
    }
    for (name, at) in [("a", "h1"), ("b", "h2")] {
        beats().await?;
        assert_eq!(host(&world.wait_bound(name).await?), Some(at));
    }
    Ok(())
}
