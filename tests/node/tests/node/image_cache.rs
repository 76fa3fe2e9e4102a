//! The image cache has a limit: what no guest needs goes, what one stands on stays, and all can be had again.

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use kube::ResourceExt;
use ostler_test_harness::{guest_image::sha256_of, wait_for};
use ostler_tests_node::{PATIENCE, World, image_yaml};
use serde_json::json;

fn cached(world: &World) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(world.libvirt.state_dir().join("images"))?;
    entries.map(|e| Ok(e?.file_name().to_string_lossy().into_owned())).collect()
}

/// An image with the same system as other bytes.
async fn other(world: &World, name: &str) -> Result<String> {
    let served = world.cluster.scratch().join("images");
    let mut bytes = fs::read(served.join("tiny.qcow2"))?;
    bytes.extend(name.bytes().cycle().take(65536));
    let file = served.join(format!("{name}.qcow2"));
    fs::write(&file, &bytes)?;
    let sha256 = sha256_of(&file)?;
    world.apply(&image_yaml(name, &world.files.url(&format!("{name}.qcow2")), &sha256)).await?;
    world.wait_image(name).await?;
    Ok(sha256)
}

fn aged(path: &Path) -> Result<()> {
    ensure!(Command::new("touch").args(["-c", "-d", "2 hours ago"]).arg(path).status()?.success(), "touch");
    Ok(())
}

/// Has the cache looked at after this image was last used long ago; whoever needs it has that noted again.
async fn looked_at(world: &World, sha256: &str) -> Result<()> {
    // What is under way is over.
    tokio::time::sleep(Duration::from_secs(3)).await;
    aged(&world.libvirt.state_dir().join("images").join(sha256))?;
    world.create("passes-by", ", powerState: Stopped").await?;
    world.wait_ready("passes-by").await?;
    world.delete("passes-by").await
}

async fn metric(world: &World, name: &str) -> Result<u64> {
    let health = &world.node_role.as_ref().context("no node role")?.health;
    let text = reqwest::get(format!("{health}/metrics")).await?.text().await?;
    let line = text.lines().find_map(|l| l.strip_prefix(&format!("ostler_node_image_cache_{name} ")));
    Ok(line.with_context(|| format!("no metric {name}"))?.parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_no_guest_needs_go_and_those_below_its_disks_stay() -> Result<()> {
    let mut world = World::new("cache").await?;
    world.wait_image("tiny").await?;
    let (mid, late) = (other(&world, "mid").await?, other(&world, "late").await?);
    world.kill_node_role();
    // Room for one image and a half.
    world.node_flags.push("--image-cache-limit=30MiB");
    world.start_node_role().await?;

    // Three guests of three images.
    world.create("a", ", powerState: Stopped").await?;
    world.wait_ready("a").await?;
    for (name, image) in [("b", "mid"), ("c", "late")] {
        let yaml = format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: {name}}}\n\
             spec: {{flavor: small, image: {image}, powerState: Stopped}}\n"
        );
        world.apply(&yaml).await?;
        world.wait_ready(name).await?;
    }
    let all = cached(&world)?;
    ensure!(all.len() == 3, "{all:?}");
    // All three are needed, old as they are, and too many as they are.
    for name in &all {
        looked_at(&world, name).await?;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(cached(&world)? == all, "{:?}", cached(&world)?);
    world.delete("c").await?;
    looked_at(&world, &late).await?;
    wait_for("the image of the deleted guest to go", PATIENCE, || async {
        Ok((!cached(&world)?.contains(&late)).then_some(()))
    })
    .await?;
    // b leaves `mid` for `tiny`.
    world.change("b", json!({ "image": "tiny" })).await?;
    world.wait_ready("b").await?;
    looked_at(&world, &mid).await?;
    wait_for("the image that b left to go", PATIENCE, || async { Ok((cached(&world)?.len() == 1).then_some(())) })
        .await?;
    ensure!(!cached(&world)?.contains(&mid), "{:?}", cached(&world)?);
    wait_for("the metrics", PATIENCE, || async {
        Ok((metric(&world, "images").await? == 1 && metric(&world, "removed_total").await? == 2).then_some(()))
    })
    .await?;
    ensure!(metric(&world, "limit_bytes").await? == 30 << 20 && metric(&world, "needed_bytes").await? > 0);
    let told = wait_for("the Host to say so", 2 * PATIENCE, || async {
        let cache = world.host().await?.status.and_then(|s| s.image_cache);
        Ok(cache.filter(|c| c.images == 1))
    })
    .await?;
    ensure!(told.limit_mib == 30 && (15..30).contains(&told.used_mib), "{told:?}");

    // Guests run from what stayed, and what went is fetched again.
    world.change("a", json!({ "powerState": "Running" })).await?;
    let a = world.wait_ready("a").await?;
    world.wait_booted(&a, 1).await?;
    world.change("b", json!({ "image": "mid" })).await?;
    let b = world.wait_ready("b").await?;
    ensure!(cached(&world)?.contains(&mid), "{:?}", b.status);
    for server in [a, b] {
        world.delete(&server.name_any()).await?;
    }
    ensure!(world.remains()?.is_empty(), "{:?}", world.remains()?);
    Ok(())
}
