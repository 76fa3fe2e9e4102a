//! Placing: what is named, where there is room, and what it costs.

use ostler_crds::{Network, names::reason, server::footprint::GUEST_OVERHEAD_MIB};
use ostler_test_harness::{api_requests::ApiRequests, wait_for, workload};
use ostler_tests_manager::{PATIENCE, World, tiny_digest};

const LOOPBACK: &[&str] = &["--image-allow-cidr=127.0.0.0/8"];

#[tokio::test]
async fn a_server_is_bound_with_all_that_its_host_needs_in_one_write_and_one_event() -> anyhow::Result<()> {
    let world = World::new().await?;
    let _manager = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    world.host("h1", 4096).await?;
    // The first one waits for the image to be checked; the second one shows the cost of a Server.
    world.server("first", "{flavor: small, image: tiny}").await?;
    world.wait_bound("first").await?;
    let before = ApiRequests::read(&world.client).await?;
    world.server("second", "{flavor: small, image: tiny}").await?;
    let server = world.wait_bound("second").await?;
    let status = server.status.unwrap();
    assert_eq!(status.host.as_deref(), Some("h1"));
    assert_eq!(status.flavor.unwrap().memory_mib, 128);
    assert_eq!(status.image.unwrap().sha256, tiny_digest());
    assert_eq!((status.addresses[0].network.as_str(), status.addresses[0].prefix_length), ("lan", 28));
    assert_eq!(server.metadata.finalizers.unwrap(), [ostler_crds::names::GUEST_FINALIZER]);
    // The Event follows the binding.
    wait_for("the Event", PATIENCE, || async {
        let spent = ApiRequests::read(&world.client).await?.since(&before);
        Ok((spent.writes(&["events.k8s.io"]).total() == 1).then_some(()))
    })
    .await?;
    let spent = ApiRequests::read(&world.client).await?.since(&before).writes(&["compute.ostler.dev", "events.k8s.io"]);
    // Ours are the status and the Event; the third one is the user's own.
    assert_eq!(spent.total(), 3, "{:?}", spent.iter().collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_named_and_the_server_is_bound_when_it_appears() -> anyhow::Result<()> {
    let world = World::new().await?;
    let _manager = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    world.server("web", "{flavor: large, image: tiny, keyPair: me}").await?;
    let server = world.wait_reason("web", "Ready", reason::FLAVOR_NOT_FOUND).await?;
    let status = server.status.unwrap();
    assert_eq!(status.state.unwrap().status, "ERROR");
    assert!(status.fault.unwrap().message.contains("spec.flavor"));
    world
        .apply("apiVersion: compute.ostler.dev/v1alpha1\nkind: Flavor\nmetadata: {name: large}\nspec: {vcpus: 1, memoryMiB: 2048, diskGiB: 1}\n")
        .await?;
    world.wait_reason("web", "Ready", reason::KEY_PAIR_NOT_FOUND).await?;
    world
        .apply("apiVersion: compute.ostler.dev/v1alpha1\nkind: KeyPair\nmetadata: {name: me}\nspec: {publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagBI7Ux6LpyoL+UIrhFrHZnJxGZ4/Bpi5kTAf0Ti4y me'}\n")
        .await?;
    let server = world.wait_reason("web", "Ready", reason::NO_HOST_FITS).await?;
    assert!(server.status.unwrap().fault.unwrap().message.contains("there are no Hosts"));
    world.host("small-host", 1024).await?;
    world.host("big-host", 8192).await?;
    let status = world.wait_bound("web").await?.status.unwrap();
    assert_eq!(status.host.as_deref(), Some("big-host"));
    assert!(status.fault.is_none(), "the fault must go when the Server is bound");
    assert_eq!(status.key.unwrap().name, "me");
    Ok(())
}

#[tokio::test]
async fn a_host_that_is_silent_gets_no_guests() -> anyhow::Result<()> {
    let world = World::new().await?;
    // Its Host says Ready, but no heartbeat was ever seen.
    world.apply("apiVersion: compute.ostler.dev/v1alpha1\nkind: Host\nmetadata: {name: dead}\nspec: {}\n").await?;
    let _manager = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    world.server("web", "{flavor: small, image: tiny}").await?;
    let server = world.wait_reason("web", "Ready", reason::NO_HOST_FITS).await?;
    assert!(server.status.unwrap().fault.unwrap().message.contains("not ready"));
    Ok(())
}

#[tokio::test]
async fn an_asked_address_is_given_once_and_no_host_is_overfilled() -> anyhow::Result<()> {
    let world = World::new().await?;
    let _manager = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    // Room for three guests of 128 MiB beside the reserve of 512.
    world.host("h1", 512 + 3 * (128 + GUEST_OVERHEAD_MIB)).await?;
    let asks = "{flavor: small, image: tiny, networks: [{name: lan, address: 10.77.0.9}]}";
    world.server("one", asks).await?;
    world.wait_bound("one").await?;
    world.server("two", asks).await?;
    let refused = world.wait_reason("two", "Ready", reason::NO_ADDRESS).await?;
    assert!(refused.status.unwrap().fault.unwrap().message.contains("10.77.0.9"));
    for name in ["three", "four"] {
        world.server(name, "{flavor: small, image: tiny}").await?;
        world.wait_bound(name).await?;
    }
    world.server("five", "{flavor: small, image: tiny}").await?;
    let full = world.wait_reason("five", "Ready", reason::NO_HOST_FITS).await?;
    assert!(full.status.unwrap().fault.unwrap().message.contains("too little memory"));
    // What was never bound goes at once, without any node role.
    for name in ["two", "five"] {
        world.servers().delete(name, &Default::default()).await?;
        wait_for("the Server to be gone", PATIENCE, || async {
            Ok(world.servers().get_opt(name).await?.is_none().then_some(()))
        })
        .await?;
    }
    let networks = kube::Api::<Network>::all(world.client.clone());
    let counted = wait_for("the Network to be counted", PATIENCE, || async { Ok(networks.get("lan").await?.status) });
    assert_eq!(counted.await?.addresses_total, Some(13));
    Ok(())
}
