//! Images from the web: checked once, refused with a reason, tried again where that helps.

use kube::Api;
use ostler_crds::{Image, find_condition, image::ImageState, names::reason};
use ostler_test_harness::{wait_for, workload};
use ostler_tests_manager::{PATIENCE, World, image, tiny, tiny_digest};

async fn wait_image(world: &World, name: &str, why: &str) -> anyhow::Result<Image> {
    let api = Api::<Image>::namespaced(world.client.clone(), &world.namespace);
    wait_for(&format!("Image {name}: {why}"), PATIENCE, || async {
        Ok(api.get_opt(name).await?.filter(|i| {
            let conditions = i.status.as_ref().map_or(&[][..], |s| &s.conditions);
            find_condition(conditions, "Ready").is_some_and(|c| c.reason == why)
        }))
    })
    .await
}

#[tokio::test]
async fn an_image_is_active_with_its_digests_or_says_why_not() -> anyhow::Result<()> {
    let world = World::new().await?;
    let _manager = workload::manager(&world.cluster, "a", &["--image-allow-cidr=127.0.0.0/8"]).await?;
    let status = wait_image(&world, "tiny", reason::VERIFIED).await?.status.unwrap();
    assert_eq!(
        (status.state, status.size, status.virtual_size),
        (Some(ImageState::Active), Some(1 << 20), Some(1 << 20))
    );
    assert_eq!(status.md5.unwrap().len(), 32);

    world.apply(&image("wrong", &world.files.url("tiny.raw"), &"0".repeat(64))).await?;
    let wrong = wait_image(&world, "wrong", reason::IMAGE_DIGEST_MISMATCH).await?.status.unwrap();
    assert_eq!(wrong.state, Some(ImageState::Killed));

    world.apply(&image("closed", "http://169.254.169.254/latest/meta-data", &tiny_digest())).await?;
    wait_image(&world, "closed", reason::IMAGE_REFUSED).await?;

    world.apply(&image("late", &world.files.url("late.raw"), &tiny_digest())).await?;
    let late = wait_image(&world, "late", reason::IMAGE_UNREACHABLE).await?.status.unwrap();
    assert_eq!(late.state, Some(ImageState::Queued));
    std::fs::write(world.cluster.scratch().join("late.raw"), tiny())?;
    wait_image(&world, "late", reason::VERIFIED).await?;

    let upload = "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {name: up}\nspec: {diskFormat: raw, source: {upload: {}}}\n";
    world.apply(upload).await?;
    wait_image(&world, "up", reason::AWAITING_UPLOAD).await?;
    Ok(())
}
