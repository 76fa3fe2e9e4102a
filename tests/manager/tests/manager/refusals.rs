//! What stands in the way is named with its field; and what is deleted goes, whoever else is gone.

use kube::{Api, api::DeleteParams};
use ostler_crds::{Flavor, Host, Image, Network, find_condition, image::ImageState, names::reason};
use ostler_test_harness::{SmallDisk, api_requests::ApiRequests, wait_for, workload};
use ostler_tests_manager::{CATALOG, PATIENCE, World, tiny_digest};

const LOOPBACK: &[&str] = &["--image-allow-cidr=127.0.0.0/8"];
const BIG: &str = "{apiVersion: compute.ostler.dev/v1alpha1, kind: Flavor, metadata: {name: tight}, spec: {vcpus: 1, \
                   memoryMiB: 64, diskGiB: 1}}";

#[tokio::test]
async fn every_refusal_names_its_field_and_ends_when_its_cause_does() -> anyhow::Result<()> {
    let world = World::new().await?;
    let _manager = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    world.host("h1", 4096).await?;
    world.apply(BIG).await?;
    let url = world.files.url("tiny.raw");
    let fat = format!(
        "{{apiVersion: compute.ostler.dev/v1alpha1, kind: Image, metadata: {{name: fat}}, spec: {{diskFormat: raw, \
         minMemoryMiB: 100, source: {{http: {{url: '{url}', sha256: '{}'}}}}}}}}",
        tiny_digest()
    );
    world.apply(&fat).await?;
    let wrong = [
        ("{flavor: none, image: tiny}", reason::FLAVOR_NOT_FOUND, "spec.flavor"),
        ("{flavor: small, image: none}", reason::IMAGE_NOT_FOUND, "spec.image"),
        ("{flavor: small, image: tiny, keyPair: none}", reason::KEY_PAIR_NOT_FOUND, "spec.keyPair"),
        ("{flavor: small, image: tiny, networks: [{name: none}]}", reason::NETWORK_NOT_FOUND, "spec.networks[0].name"),
        (
            "{flavor: small, image: tiny, networks: [{name: lan, address: 10.99.0.1}]}",
            reason::NO_ADDRESS,
            "spec.networks",
        ),
        ("{flavor: tight, image: fat}", reason::IMAGE_DOES_NOT_FIT, "spec.flavor"),
        ("{flavor: small, image: tiny, availabilityZone: moon}", reason::NO_HOST_FITS, "availability zone"),
    ];
    for (i, (spec, _, _)) in wrong.iter().enumerate() {
        world.server(&format!("s{i}"), spec).await?;
    }
    for (i, (spec, why, field)) in wrong.iter().enumerate() {
        let server = world.wait_reason(&format!("s{i}"), "Ready", why).await?;
        let conditions = server.status.unwrap_or_default().conditions;
        let ready = find_condition(&conditions, "Ready").unwrap();
        assert!(ready.message.contains(field), "{spec}: {}", ready.message);
        assert!(find_condition(&conditions, "Stalled").is_some(), "{spec}");
    }
    // They are tried again all the time, and told once.
    let networks = Api::<Network>::all(world.client.clone());
    wait_for("the Network's first count", PATIENCE, || async { Ok(networks.get("lan").await?.status) }).await?;
    let before = ApiRequests::read(&world.client).await?;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let spent = ApiRequests::read(&world.client).await?.since(&before).writes(&["compute.ostler.dev", "events.k8s.io"]);
    assert_eq!(spent.total(), 0, "{:?}", spent.iter().collect::<Vec<_>>());

    // A Flavor that is deleted before a Server is bound, and made again.
    Api::<Flavor>::all(world.client.clone()).delete("small", &DeleteParams::default()).await?;
    world.server("late", "{flavor: small, image: tiny}").await?;
    world.wait_reason("late", "Ready", reason::FLAVOR_NOT_FOUND).await?;
    world.apply(CATALOG).await?;
    world.wait_bound("late").await?;

    // A Server whose host exists waits for that host's node role; when the Host is deleted, it goes.
    world.servers().delete("late", &DeleteParams::default()).await?;
    world.servers().delete("s0", &DeleteParams::default()).await?;
    world.wait_gone("s0").await?;
    assert!(world.servers().get_opt("late").await?.is_some());
    Api::<Host>::all(world.client.clone()).delete("h1", &DeleteParams::default()).await?;
    world.wait_gone("late").await?;
    Ok(())
}

#[tokio::test]
async fn an_image_that_has_no_room_in_the_scratch_folder_says_so_and_is_checked_when_it_has() -> anyhow::Result<()> {
    let world = World::new().await?;
    // Where the harness puts the scratch folder of manager `a`.
    let disk = SmallDisk::mount_at(world.cluster.scratch().join("scratch-a"), 4)?;
    disk.leave_free(256 << 10)?;
    let _manager = workload::manager(&world.cluster, "a", LOOPBACK).await?;
    let images = Api::<Image>::namespaced(world.client.clone(), &world.namespace);
    let told = |why: &'static str| {
        let images = images.clone();
        async move {
            wait_for(why, PATIENCE, || async {
                let image = images.get("tiny").await?;
                let conditions = image.status.as_ref().map_or(&[][..], |s| &s.conditions);
                Ok(find_condition(conditions, "Ready").filter(|c| c.reason == why).cloned().map(|c| (image.clone(), c)))
            })
            .await
        }
    };
    let (image, ready) = told(reason::DISK_FULL).await?;
    assert_eq!(image.status.and_then(|s| s.state), Some(ImageState::Queued));
    assert!(ready.message.contains("scratch folder") && ready.message.contains("tried again"), "{}", ready.message);
    let names: Vec<_> = std::fs::read_dir(disk.path())?.flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["ballast"], "no partial file");
    disk.leave_free(3 << 20)?;
    told(reason::VERIFIED).await?;
    Ok(())
}
