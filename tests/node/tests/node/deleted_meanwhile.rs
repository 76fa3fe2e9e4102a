//! What a guest was made from is deleted meanwhile, made again, or shares its name with something else.

use anyhow::Result;
use kube::{Api, ResourceExt, api::DeleteParams};
use ostler_crds::{Flavor, Image, KeyPair, Network, Server, names::reason};
use ostler_test_harness::wait_for;
use ostler_tests_node::{CATALOG, PATIENCE, World, condition_reason, has_done, image_yaml, state};
use serde_json::json;

const KEY: &str = "apiVersion: compute.ostler.dev/v1alpha1\nkind: KeyPair\nmetadata: {name: me}\nspec: {publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagBI7Ux6LpyoL+UIrhFrHZnJxGZ4/Bpi5kTAf0Ti4y me'}\n";

async fn delete_network(world: &World) -> Result<()> {
    let networks = Api::<Network>::all(world.client.clone());
    networks.delete("lan", &DeleteParams::default()).await?;
    wait_for("the Network to be gone", PATIENCE, || async {
        Ok(networks.get_opt("lan").await?.is_none().then_some(()))
    })
    .await
}

async fn reboot(world: &World, id: &str) -> Result<Server> {
    world.change("a", json!({ "action": { "id": id, "type": "RebootHard" } })).await?;
    world.wait("a", id, |s| has_done(s, id)).await?;
    world.wait_ready("a").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_outlives_what_it_was_made_from_and_all_can_be_made_again() -> Result<()> {
    let mut world = World::new("dmw").await?;
    world.apply(KEY).await?;
    world.wait_image("tiny").await?;
    world.create("a", ", keyPair: me").await?;
    let a = world.wait_ready("a").await?;
    let qemu = world.qemu(&a)?;

    // The same name in another project is another guest.
    let first = world.namespace.clone();
    world.namespace = world.cluster.project().await?;
    let sha256 = a.status.as_ref().unwrap().image.as_ref().unwrap().sha256.clone();
    world.apply(&image_yaml("tiny", &world.files.url("tiny.qcow2"), &sha256)).await?;
    world.create("a", "").await?;
    let namesake = world.wait_ready("a").await?;
    assert_ne!(namesake.uid(), a.uid());
    world.delete("a").await?;
    let second = std::mem::replace(&mut world.namespace, first.clone());
    assert_eq!(world.domains()?, [format!("ostler-{}", a.uid().unwrap())]);

    // All that it names goes.
    Api::<Flavor>::all(world.client.clone()).delete("small", &DeleteParams::default()).await?;
    Api::<KeyPair>::namespaced(world.client.clone(), &world.namespace).delete("me", &DeleteParams::default()).await?;
    Api::<Image>::namespaced(world.client.clone(), &world.namespace).delete("tiny", &DeleteParams::default()).await?;
    delete_network(&world).await?;
    world.change("a", json!({ "metadata": { "look": "again" } })).await?;
    world.wait_ready("a").await?;
    assert_eq!(world.qemu(&a)?, qemu, "the guest was touched");
    world.change("a", json!({ "powerState": "Stopped" })).await?;
    assert_eq!(state(&world.wait_ready("a").await?), "SHUTOFF");
    world.change("a", json!({ "powerState": "Running" })).await?;
    assert_eq!(state(&world.wait_ready("a").await?), "ACTIVE");
    reboot(&world, "without").await?;

    // Made again, the Network is the same one to its guests, old and new.
    world.apply(CATALOG).await?;
    reboot(&world, "with").await?;
    world.namespace = second;
    world.create("c", "").await?;
    let c = world.wait_ready("c").await?;
    let address = |s: &Server| s.status.as_ref().unwrap().addresses[0].address.clone();
    assert_ne!(address(&c), address(&a));
    world.delete("c").await?;

    // With another subnet, it takes over when nobody holds an address of the old one.
    delete_network(&world).await?;
    world.apply(&CATALOG.replace("10.77.", "10.78.")).await?;
    world.create("d", "").await?;
    let told = |s: &Server| condition_reason(s, "Ready") == Some(reason::HYPERVISOR_ERROR);
    let d = world.wait("d", "told that the old network is in use", told).await?;
    assert!(address(&d).starts_with("10.78."));
    let second = std::mem::replace(&mut world.namespace, first);
    assert_eq!(condition_reason(&world.server("a").await?, "Ready"), Some(reason::AS_WISHED));
    world.delete("a").await?;
    world.namespace = second;
    world.change("d", json!({ "metadata": { "look": "again" } })).await?;
    world.wait_ready("d").await?;

    // The same name and address again, as soon as the name is free: the guest before has left nothing in its way.
    let mut uids = std::collections::HashSet::new();
    for last in [false, true] {
        let made = wait_for("the name to be free", PATIENCE, || async {
            let is_there = world.servers().get_opt("a").await?.is_some();
            Ok((!is_there).then_some(()))
        });
        made.await?;
        world.create("a", ", networks: [{name: lan, address: 10.78.0.9}]").await?;
        let a = world.wait_ready("a").await?;
        assert!(uids.insert(a.uid().unwrap()));
        assert_eq!(world.domains()?.len(), 2, "it and d");
        if last {
            let line = world.wait_booted(&a, 1).await?;
            assert!(line.contains("10.78.0.9"), "{line}");
        }
        world.servers().delete("a", &DeleteParams::default()).await?;
    }
    wait_for("it to be gone", PATIENCE, || async { Ok(world.servers().get_opt("a").await?.is_none().then_some(())) })
        .await?;
    world.delete("d").await?;
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}
