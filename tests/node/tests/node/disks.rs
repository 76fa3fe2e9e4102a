//! Rebuild, resize and rescue of a real guest.

use anyhow::{Context, Result, ensure};
use ostler_crds::Server;
use ostler_tests_node::{World, condition_reason, has_done, state};
use serde_json::{Value, json};

const LARGE: &str = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: large}
spec: {vcpus: 2, memoryMiB: 160, diskGiB: 2}
";

async fn until(world: &World, word: &str, spec: Value) -> Result<Server> {
    world.change("a", spec).await?;
    let server = world.wait_ready("a").await?;
    ensure!(state(&server) == word, "{} is not {word}", state(&server));
    Ok(server)
}

async fn act(world: &World, id: &str, type_: &str, word: &str) -> Result<Server> {
    let server = until(world, word, json!({ "action": { "id": id, "type": type_ } })).await?;
    ensure!(has_done(&server, id), "{:?}", server.status.and_then(|s| s.last_action));
    Ok(server)
}

/// Whether the guest said all of this of itself when it was ready.
fn says(line: &str, wanted: &[&str]) -> Result<()> {
    for word in wanted {
        ensure!(line.split_whitespace().any(|w| w == *word), "{word} is not in {line}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_rebuilt_resized_reverted_and_rescued_and_nothing_is_left() -> Result<()> {
    let world = World::new("disks").await?;
    world.apply(LARGE).await?;
    world.wait_image("tiny").await?;
    world.create("a", ", resizePolicy: Verify").await?;
    let server = world.wait_ready("a").await?;
    says(&world.wait_booted(&server, 1).await?, &["boots=1", "cpus=1", "disk=2097152"])?;

    // C-19. The boot counter is on the disk, so it begins anew.
    act(&world, "wipe", "Rebuild", "ACTIVE").await?;
    says(&world.wait_booted(&server, 2).await?, &["boots=1"])?;

    // C-20, C-22.
    let resized = until(&world, "VERIFY_RESIZE", json!({ "flavor": "large" })).await?;
    ensure!(resized.status.as_ref().is_some_and(|s| s.resize.is_some()));
    says(&world.wait_booted(&server, 3).await?, &["boots=2", "cpus=2", "disk=4194304"])?;
    until(&world, "ACTIVE", json!({ "flavor": "small" })).await?;
    says(&world.wait_booted(&server, 4).await?, &["boots=2", "cpus=1", "disk=2097152"])?;
    // C-21.
    until(&world, "VERIFY_RESIZE", json!({ "flavor": "large" })).await?;
    world.wait_booted(&server, 5).await?;
    let qemu = world.qemu(&server)?;
    act(&world, "keep", "ConfirmResize", "ACTIVE").await?;
    ensure!(world.qemu(&server)? == qemu, "a confirmation touches no guest");
    world.wait("a", "the resize is over", |s| s.status.as_ref().is_some_and(|s| s.resize.is_none())).await?;
    // A disk never shrinks.
    world.change("a", json!({ "flavor": "small" })).await?;
    let refused = world.wait("a", "ChangeRefused", |s| condition_reason(s, "Ready") == Some("ChangeRefused")).await?;
    ensure!((state(&refused), condition_reason(&refused, "ChangeRefused")) == ("ACTIVE", Some("InvalidSpec")));
    ensure!(world.qemu(&server)? == qemu, "a refusal touches no guest");
    until(&world, "ACTIVE", json!({ "flavor": "large" })).await?;

    // S-12. The rescue disk is as large as the image, the guest's own is its second disk.
    until(&world, "RESCUE", json!({ "rescue": {} })).await?;
    let line = world.wait_booted(&server, 6).await?;
    ensure!(!line.contains("disk=4194304"), "it runs from its own disk: {line}");
    let domain = format!("ostler-{}", server.metadata.uid.clone().context("no uid")?);
    let disks = world.libvirt.enter(&["virsh", "domblklist", &domain])?;
    ensure!(disks.contains("rescue.qcow2") && disks.contains("root.qcow2"), "{disks}");
    until(&world, "ACTIVE", json!({ "rescue": null })).await?;
    says(&world.wait_booted(&server, 7).await?, &["disk=4194304", "cpus=2"])?;

    // Everything that can lie beside the disk lies there when it is deleted.
    until(&world, "RESCUE", json!({ "rescue": {} })).await?;
    world.delete("a").await?;
    ensure!(world.remains()?.is_empty(), "{:?}", world.remains()?);
    Ok(())
}
