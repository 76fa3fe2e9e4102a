//! What users are told when something is in the way, and that it passes.

use anyhow::Result;
use kube::ResourceExt;
use ostler_crds::{Server, find_condition, names::reason};
use ostler_test_harness::{guest_image::sha256_of, wait_for};
use ostler_tests_node::{PATIENCE, World, condition_reason, image_yaml, slow_server::SlowServer, state};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_away_is_waited_for_and_a_lost_disk_is_never_made_anew() -> Result<()> {
    let world = World::new("errs").await?;
    world.wait_image("tiny").await?;
    let file = world.cluster.scratch().join("images/tiny.qcow2");
    let away = file.with_extension("away");
    std::fs::rename(&file, &away)?;
    world.create("a", "").await?;
    let server = world
        .wait("a", "told that the image is away", |s| condition_reason(s, "Ready") == Some(reason::IMAGE_UNREACHABLE))
        .await?;
    assert_eq!(state(&server), "BUILD");
    assert_eq!(condition_reason(&server, "Reconciling"), Some(reason::IMAGE_UNREACHABLE));
    let told = find_condition(&server.status.as_ref().unwrap().conditions, "Ready").unwrap();
    assert!(told.message.contains("404") && told.message.contains("tried again"), "{}", told.message);
    // Tried again and again, told once.
    let version = server.resource_version();
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(world.server("a").await?.resource_version(), version);
    std::fs::rename(&away, &file)?;
    world.wait_ready("a").await?;

    world.change("a", json!({ "powerState": "Stopped" })).await?;
    world.wait_ready("a").await?;
    let disk = world.libvirt.state_dir().join("guests").join(server.uid().unwrap()).join("root.qcow2");
    let kept = disk.with_extension("kept");
    std::fs::rename(&disk, &kept)?;
    world.change("a", json!({ "powerState": "Running" })).await?;
    let server = world.wait("a", "stalled", |s| condition_reason(s, "Stalled") == Some(reason::DISK_MISSING)).await?;
    assert_eq!(state(&server), "ERROR");
    assert!(!disk.exists());
    std::fs::rename(&kept, &disk)?;
    // A change of the object is a reason to look again.
    world.change("a", json!({ "metadata": { "look": "again" } })).await?;
    world.wait_ready("a").await?;
    world.delete("a").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_whose_source_is_cut_in_the_middle_is_told_leaves_nothing_and_comes_when_it_can() -> Result<()> {
    let world = World::new("cut").await?;
    let file = world.cluster.scratch().join("images/tiny.qcow2");
    let source = SlowServer::start(&file).await?;
    world.apply(&image_yaml("cut", &source.url(), &sha256_of(&file)?)).await?;
    world.wait_image("cut").await?;
    source.set_cut(true);
    world.apply("{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {name: a}, spec: {flavor: small, image: cut, powerState: Stopped}}").await?;
    let told = |s: &Server| condition_reason(s, "Ready") == Some(reason::IMAGE_UNREACHABLE);
    let server = world.wait("a", "told that the image was cut off", told).await?;
    assert_eq!((state(&server), condition_reason(&server, "Stalled")), ("BUILD", None), "it passes");
    let images = world.libvirt.state_dir().join("images");
    wait_for("no partial file", PATIENCE, || async { Ok((std::fs::read_dir(&images)?.count() == 0).then_some(())) })
        .await?;
    source.set_cut(false);
    world.wait_ready("a").await?;
    world.delete("a").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_with_another_digest_are_refused_on_the_host_too() -> Result<()> {
    let world = World::new("dig").await?;
    world.wait_image("tiny").await?;
    // The manager has checked the bytes; they change before the host fetches them.
    let file = world.cluster.scratch().join("images/tiny.qcow2");
    let mut bytes = std::fs::read(&file)?;
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    std::fs::write(&file, bytes)?;
    world.create("a", "").await?;
    let server =
        world.wait("a", "stalled", |s| condition_reason(s, "Stalled") == Some(reason::IMAGE_DIGEST_MISMATCH)).await?;
    assert_eq!((state(&server), server.status.as_ref().unwrap().fault.as_ref().unwrap().code), ("ERROR", 400));
    world.delete("a").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    assert_eq!(std::fs::read_dir(world.libvirt.state_dir().join("images"))?.count(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_label_that_names_another_guest_touches_nothing_of_it() -> Result<()> {
    let world = World::new("thief").await?;
    world.create("victim", "").await?;
    let victim = world.wait_ready("victim").await?;
    let qemu = world.qemu(&victim)?;
    let thief = format!(
        "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: thief, labels: \
         {{compute.ostler.dev/id: {}}}}}\nspec: {{flavor: small, image: tiny}}\n",
        victim.uid().unwrap()
    );
    world.apply(&thief).await?;
    world.wait("thief", "stalled", |s| condition_reason(s, "Stalled") == Some(reason::FOREIGN_DOMAIN)).await?;
    world.delete("thief").await?;
    assert_eq!(world.qemu(&victim)?, qemu);
    assert!(world.libvirt.state_dir().join("guests").join(victim.uid().unwrap()).join("root.qcow2").exists());
    world.delete("victim").await?;
    Ok(())
}
