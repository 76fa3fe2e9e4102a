//! Every Server can be deleted, whatever goes on; and libvirt may be down at any time.

use std::time::{Duration, Instant};

use anyhow::Result;
use kube::ResourceExt;
use ostler_crds::{Server, names::reason};
use ostler_test_harness::wait_for;
use ostler_tests_node::{PATIENCE, World, condition_reason, image_yaml, slow_server::SlowServer, told};
use sha2::{Digest, Sha256};

/// Waits until the host is in the middle of a download.
async fn fetching(world: &World) -> Result<()> {
    let images = world.libvirt.state_dir().join("images");
    wait_for("a download", PATIENCE, || async {
        let part = std::fs::read_dir(&images)?.flatten().find(|e| e.file_name().to_string_lossy().ends_with(".part"));
        Ok(part.and_then(|p| p.metadata().ok()).filter(|m| m.len() > 0).map(drop))
    })
    .await
}

fn unreachable(server: &Server) -> bool {
    condition_reason(server, "Ready") == Some(reason::HYPERVISOR_UNREACHABLE)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_deleted_while_its_image_is_fetched_and_while_libvirt_is_down() -> Result<()> {
    let world = World::new("dels").await?;
    let file = world.cluster.scratch().join("images/tiny.qcow2");
    let slow = SlowServer::start(&file).await?;
    let mut bytes = std::fs::read(&file)?;
    world.apply(&image_yaml("slow", &slow.url(), &hex::encode(Sha256::digest(&bytes)))).await?;
    bytes.extend([0; 65536]);
    let longer = world.cluster.scratch().join("longer.qcow2");
    std::fs::write(&longer, &bytes)?;
    let other = SlowServer::start(&longer).await?;
    world.apply(&image_yaml("other", &other.url(), &hex::encode(Sha256::digest(&bytes)))).await?;
    for image in ["tiny", "slow", "other"] {
        world.wait_image(image).await?;
    }

    // Deleted in the middle of a download of half a minute, for whose end another one of the same digest waits.
    slow.set_slow(true);
    world.apply("{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {name: a}, spec: {flavor: small, image: slow}}").await?;
    fetching(&world).await?;
    world.create("b", "").await?;
    world.wait("b", "bound", |s| s.status.as_ref().is_some_and(|s| s.host.is_some())).await?;
    let began = Instant::now();
    world.delete("a").await?;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let b = world.wait_ready("b").await?;

    // libvirt goes away while a guest is being made, one is deleted, and one is asked for.
    other.set_slow(true);
    world.apply("{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {name: c}, spec: {flavor: small, image: other}}").await?;
    fetching(&world).await?;
    let qemu = world.qemu(&b)?;
    world.libvirt.keep_libvirtd_down()?;
    other.set_slow(false);
    let c = world.wait("c", "told that libvirt is down", unreachable).await?;
    assert!(told(&c).contains("see that libvirtd runs on the host"), "{}", told(&c));
    world.servers().delete("b", &Default::default()).await?;
    let leaving = world.wait("b", "told that libvirt is down", unreachable).await?;
    assert!(leaving.metadata.deletion_timestamp.is_some());
    world.create("d", "").await?;
    let d = world.wait("d", "not placed", |s| condition_reason(s, "Ready") == Some(reason::NO_HOST_FITS)).await?;
    assert!(told(&d).contains("1 not ready") && told(&d).contains("kubectl get hosts"), "{}", told(&d));
    assert_eq!(world.qemu(&b)?, qemu, "the guest runs on");

    world.libvirt.let_libvirtd_start()?;
    wait_for("b to be gone", PATIENCE, || async { Ok(world.servers().get_opt("b").await?.is_none().then_some(())) })
        .await?;
    world.wait_ready("c").await?;
    world.wait_ready("d").await?;
    assert_eq!(world.domains()?.len(), 2);
    for server in [&c, &d] {
        world.delete(&server.name_any()).await?;
    }
    assert_eq!(world.remains()?, Vec::<String>::new());
    let images = std::fs::read_dir(world.libvirt.state_dir().join("images"))?.count();
    assert_eq!(images, 2, "two images and no partial file");
    Ok(())
}
