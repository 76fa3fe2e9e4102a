//! A host whose disk is full: guests say so, nothing is left behind, and all goes on when there is room again.

use std::time::Duration;

use anyhow::{Context, Result};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{Host, Image, Server, find_condition, image::ImageState, names::reason};
use ostler_test_harness::{LibvirtNode, SmallDisk, wait_for};
use ostler_tests_node::{NODE, PATIENCE, World, condition_reason, state, told};
use serde_json::json;

const MIB: u64 = 1 << 20;

fn full(server: &Server) -> bool {
    condition_reason(server, "Ready") == Some(reason::DISK_FULL)
}

fn files(world: &World, folder: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(world.libvirt.state_dir().join(folder))?;
    entries.map(|e| Ok(e?.file_name().to_string_lossy().into_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_at_the_image_the_disk_and_the_running_guest_and_all_go_on_when_there_is_room() -> Result<()>
{
    let world = World::on(LibvirtNode::start_on("full", SmallDisk::mount("full", 1024)?)?).await?;
    let disk = world.libvirt.disk().context("no disk")?;
    let overcommit = json!({ "spec": { "diskOvercommitPercent": 1000 } });
    Api::<Host>::all(world.client.clone()).patch(NODE, &PatchParams::default(), &Patch::Merge(&overcommit)).await?;
    world.wait_image("tiny").await?;

    // No room for the image.
    disk.leave_free(8 * MIB)?;
    let write = "dd if=/dev/urandom of=/dev/vda bs=1M seek=500 count=40; sync; echo DISK-$((40+2))";
    world.create("a", &format!(", userData: {{text: \"#!/bin/sh\\n{write}\\n\"}}")).await?;
    let a = world.wait("a", "told that the disk is full", full).await?;
    assert_eq!(state(&a), "ERROR");
    assert_eq!(condition_reason(&a, "Reconciling"), Some(reason::DISK_FULL), "it is tried again");
    let message = told(&a);
    assert!(message.contains("cannot fetch the image") && message.contains("Free space"), "{message}");
    let asked = world.files.requests();
    wait_for("another try", PATIENCE, || async { Ok((world.files.requests() > asked).then_some(())) }).await?;
    wait_for("no partial file", PATIENCE, || async { Ok(files(&world, "images")?.is_empty().then_some(())) }).await?;
    assert_eq!(world.server("a").await?.resource_version(), a.resource_version(), "told once");

    // Room for the image, but not for what the guest writes. A change of the object is a reason to look again.
    disk.leave_free(30 * MIB)?;
    world.change("a", json!({ "metadata": { "look": "again" } })).await?;
    world.wait_ready("a").await?;
    let qemu = world.qemu(&a)?;
    let starved = world.wait("a", "told that its disk cannot grow", full).await?;
    let message = told(&starved);
    assert!(message.contains("cannot let the guest run on"), "{message}");

    // No room for another guest's disk. It can be deleted all the same.
    disk.leave_free(0)?;
    world.create("b", "").await?;
    let b = world.wait("b", "told that the disk is full", full).await?;
    let message = told(&b);
    assert!(message.contains("cannot make the root disk"), "{message}");
    let folder = b.uid().unwrap();
    let left: Vec<_> = files(&world, "guests")?.into_iter().filter(|f| f.contains(&folder)).collect();
    assert!(left.is_empty() || files(&world, &format!("guests/{folder}"))? == ["owner"], "{left:?}");
    world.delete("b").await?;
    assert_eq!(files(&world, "guests")?, [a.uid().unwrap()]);

    disk.leave_free(500 * MIB)?;
    wait_for("the guest to have written", PATIENCE, || async {
        Ok(world.console(&a)?.contains("DISK-42").then_some(()))
    })
    .await?;
    world.wait_ready("a").await?;
    assert_eq!(world.qemu(&a)?, qemu, "the guest went on where it stopped");
    // Ready and at rest: nothing is written any more.
    let version = world.server("a").await?.resource_version();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.server("a").await?.resource_version(), version);
    disk.leave_free(0)?;
    world.delete("a").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resize_and_an_image_of_a_server_that_find_no_room_say_so_leave_nothing_and_come_when_there_is_some()
-> Result<()> {
    let world = World::on_with_front(LibvirtNode::start_on("fullrs", SmallDisk::mount("fullrs", 1024)?)?).await?;
    let disk = world.libvirt.disk().context("no disk")?;
    let overcommit = json!({ "spec": { "diskOvercommitPercent": 1000 } });
    Api::<Host>::all(world.client.clone()).patch(NODE, &PatchParams::default(), &Patch::Merge(&overcommit)).await?;
    world
        .apply(
            "{apiVersion: compute.ostler.dev/v1alpha1, kind: Flavor, metadata: {name: large}, \
             spec: {vcpus: 1, memoryMiB: 128, diskGiB: 2}}",
        )
        .await?;
    world.wait_image("tiny").await?;
    world.create("a", ", powerState: Stopped, resizePolicy: Verify").await?;
    let a = world.wait_ready("a").await?;
    let folder = format!("guests/{}", a.uid().context("no uid")?);
    let root = world.libvirt.state_dir().join(&folder).join("root.qcow2");
    let wrote = std::process::Command::new("qemu-io")
        .args(["-f", "qcow2", "-c", "write -q -P 7 64M 100M"])
        .arg(&root)
        .status()?;
    assert!(wrote.success());
    let before = files(&world, &folder)?.len();

    disk.leave_free(20 * MIB)?;
    world.change("a", json!({ "flavor": "large" })).await?;
    let stuck = world.wait("a", "told that there is no room for a copy", full).await?;
    assert!(told(&stuck).contains("cannot keep a copy of the root disk"), "{}", told(&stuck));
    assert_eq!(condition_reason(&stuck, "Reconciling"), Some(reason::DISK_FULL), "it is tried again");
    let tidy = "neither half a copy nor its mark";
    wait_for(tidy, PATIENCE, || async { Ok((files(&world, &folder)?.len() == before).then_some(())) }).await?;
    let image = "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {name: NAME}\n\
                 spec: {diskFormat: qcow2, source: {server: {name: a}}}\n";
    // A resize that is under way comes first; it is given up.
    world.change("a", json!({ "flavor": "small" })).await?;
    world.wait_ready("a").await?;
    world.apply(&image.replace("NAME", "big")).await?;
    let images: Api<Image> = Api::namespaced(world.client.clone(), &world.namespace);
    let ended = async |name: &str, wanted: ImageState| {
        wait_for(name, PATIENCE, || async {
            let status = images.get(name).await?.status.unwrap_or_default();
            Ok((status.state == Some(wanted)).then_some(status))
        })
        .await
    };
    let killed = ended("big", ImageState::Killed).await?;
    let ready = find_condition(&killed.conditions, "Ready").context("no condition")?;
    assert_eq!(ready.reason, reason::DISK_FULL, "{ready:?}");
    wait_for("no copy", PATIENCE, || async { Ok((files(&world, &folder)?.len() == before).then_some(())) }).await?;

    disk.leave_free(600 * MIB)?;
    world.wait("a", "at rest", |s| s.status.as_ref().is_some_and(|s| s.snapshots.is_empty())).await?;
    world.apply(&image.replace("NAME", "second")).await?;
    ended("second", ImageState::Active).await?;
    world.change("a", json!({ "flavor": "large" })).await?;
    assert_eq!(state(&world.wait_ready("a").await?), "VERIFY_RESIZE");
    world.delete("a").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}
