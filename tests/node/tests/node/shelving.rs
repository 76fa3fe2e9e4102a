//! Shelving: the guest leaves its host and is kept as an image; its Server keeps id, MACs and addresses.

use anyhow::{Context, Result};
use kube::{Api, ResourceExt, api::DeleteParams};
use ostler_crds::{
    Image, Server, find_condition,
    image::ImageState,
    names::{SHELF_LABEL, condition, reason},
    server::state::shown,
};
use ostler_test_harness::wait_for;
use ostler_tests_node::{PATIENCE, World, condition_reason, state};
use serde_json::json;

const WRITE: &str =
    ", userData: {text: \"#!/bin/sh\\necho PROOF-$((40+2)) >/persist/proof; sync\\necho WRITTEN-$((1+1))\\n\"}";

async fn shelves(world: &World) -> Result<Vec<Image>> {
    let images: Api<Image> = Api::namespaced(world.client.clone(), &world.namespace);
    let list = images.list(&Default::default()).await?;
    Ok(list.items.into_iter().filter(|i| i.labels().contains_key(SHELF_LABEL)).collect())
}

async fn no_shelves(world: &World) -> Result<()> {
    wait_for("the shelf to be gone", PATIENCE, || async { Ok(shelves(world).await?.is_empty().then_some(())) }).await
}

async fn shelve(world: &World, name: &str) -> Result<Server> {
    world.change(name, json!({ "powerState": "Shelved" })).await?;
    off_its_host(world, name).await
}

async fn off_its_host(world: &World, name: &str) -> Result<Server> {
    world
        .wait(name, "off its host", |s| {
            state(s) == "SHELVED_OFFLOADED" && s.status.as_ref().is_some_and(|s| s.host.is_none() && s.shelf.is_some())
        })
        .await
}

/// Id, MACs and addresses.
fn identity(server: &Server) -> (Option<String>, Vec<(String, String)>) {
    let addresses = server.status.as_ref().map(|s| s.addresses.clone()).unwrap_or_default();
    (server.uid(), addresses.into_iter().map(|a| (a.mac, a.address)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shelved_server_leaves_its_host_and_comes_back_as_it_was() -> Result<()> {
    let mut world = World::with_front("shelve", &[]).await?;
    world.wait_image("tiny").await?;
    world.create("a", WRITE).await?;
    let before = world.wait_ready("a").await?;
    wait_for("the file", PATIENCE, || async { Ok(world.console(&before)?.contains("WRITTEN-2").then_some(())) })
        .await?;

    let shelved = shelve(&world, "a").await?;
    assert_eq!(world.remains()?, Vec::<String>::new(), "nothing of it is on the host");
    assert_eq!(identity(&shelved), identity(&before));
    assert_eq!(shown(&shelved).task_state, None);
    let images = shelves(&world).await?;
    assert!(images.len() == 1 && images[0].spec.protected, "{images:?}");
    // The address is the Server's still.
    let taken = identity(&before).1[0].1.clone();
    world.create("thief", &format!(", networks: [{{name: lan, address: {taken}}}]")).await?;
    world
        .wait("thief", "told that the address is taken", |s| {
            condition_reason(s, "Scheduled") == Some(reason::NO_ADDRESS)
        })
        .await?;
    world.delete("thief").await?;

    // No host has room for it: it says so, stays shelved, and may be left so.
    let hosts: Api<ostler_crds::Host> = Api::all(world.client.clone());
    let schedulable = |yes: bool| kube::api::Patch::Merge(json!({ "spec": { "schedulable": yes } }));
    hosts.patch(ostler_tests_node::NODE, &Default::default(), &schedulable(false)).await?;
    world.change("a", json!({ "powerState": "Running" })).await?;
    let waits = world
        .wait("a", "told that no host fits", |s| condition_reason(s, "Scheduled") == Some(reason::NO_HOST_FITS))
        .await?;
    assert_eq!((state(&waits), identity(&waits)), ("SHELVED_OFFLOADED", identity(&before)));
    world.change("a", json!({ "powerState": "Shelved" })).await?;
    world.wait("a", "shelved after all", |s| condition_reason(s, "Ready") == Some(reason::AS_WISHED)).await?;
    world.change("a", json!({ "powerState": "Running" })).await?;
    hosts.patch(ostler_tests_node::NODE, &Default::default(), &schedulable(true)).await?;

    // The node role dies while it makes the disk anew.
    world.wait("a", "placed", |s| s.status.as_ref().is_some_and(|s| s.host.is_some())).await?;
    world.kill_node_role();
    world.start_node_role().await?;
    let back = world
        .wait("a", "back", |s| state(s) == "ACTIVE" && s.status.as_ref().is_some_and(|s| s.shelf.is_none()))
        .await?;
    world.wait_ready("a").await?;
    assert_eq!(identity(&back), identity(&before));
    let line = world.wait_booted(&back, 1).await?;
    assert!(line.contains("boots=2") && line.contains(&taken), "{line}");
    no_shelves(&world).await?;
    // Its disk outlives the image that it was made from.
    world.change("a", json!({ "powerState": "Stopped" })).await?;
    world.wait_ready("a").await?;
    world.change("a", json!({ "powerState": "Running" })).await?;
    world.wait_ready("a").await?;
    world.wait_booted(&back, 2).await?;

    // Off again, the node role dying on the way, and deleted there.
    world.change("a", json!({ "powerState": "Shelved" })).await?;
    let shelf = |s: &Server| s.status.as_ref().is_some_and(|s| s.shelf.is_some());
    world.wait("a", "about to leave", shelf).await?;
    world.kill_node_role();
    world.start_node_role().await?;
    off_its_host(&world, "a").await?;
    world.delete("a").await?;
    no_shelves(&world).await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_image_cannot_be_made_keeps_its_guest_and_says_so() -> Result<()> {
    let world = World::with_front("noshelf", &["--image-size-limit=1000000"]).await?;
    world.wait_image("tiny").await?;
    world.create("a", "").await?;
    let a = world.wait_ready("a").await?;

    // The same refusal for an image of it.
    let image = "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {name: big}\n\
                 spec: {diskFormat: qcow2, source: {server: {name: a}}}\n";
    world.apply(image).await?;
    let images: Api<Image> = Api::namespaced(world.client.clone(), &world.namespace);
    let killed = wait_for("the image to be refused", PATIENCE, || async {
        let image = images.get("big").await?;
        Ok(Some(image).filter(|i| i.status.as_ref().and_then(|s| s.state) == Some(ImageState::Killed)))
    });
    let conditions = killed.await?.status.context("no status")?.conditions;
    let ready = find_condition(&conditions, "Ready").context("no condition")?;
    assert_eq!(ready.reason, reason::IMAGE_REFUSED, "{ready:?}");
    world
        .wait("a", "at rest again", |s| {
            let status = s.status.clone().unwrap_or_default();
            status.snapshots.is_empty() && status.failed_snapshots.is_empty()
        })
        .await?;

    world.change("a", json!({ "powerState": "Shelved" })).await?;
    let told = world
        .wait("a", "told why", |s| condition_reason(s, condition::SHELVED) == Some(reason::SHELVING_FAILED))
        .await?;
    assert_eq!((state(&told), told.status.as_ref().and_then(|s| s.host.clone()).is_some()), ("SHUTOFF", true));
    world.change("a", json!({ "powerState": "Running" })).await?;
    let back = world
        .wait("a", "running again", |s| state(s) == "ACTIVE" && condition_reason(s, condition::SHELVED).is_none())
        .await?;
    assert_eq!(back.uid(), a.uid());
    world.wait_booted(&a, 2).await?;
    no_shelves(&world).await?;
    images.delete("big", &DeleteParams::default()).await?;
    world.delete("a").await
}
