//! Images of Servers (C-23): made of guests that run, stand still or are off, through kubectl alone, and whatever happens
//! in the middle, nothing stays behind.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use kube::{Api, ResourceExt, api::DeleteParams};
use ostler_crds::{
    Image, Server, find_condition,
    image::ImageState,
    names::reason,
    server::state::{TaskState, shown},
};
use ostler_test_harness::{chart, wait_for};
use ostler_tests_node::{NODE, PATIENCE, World, state};
use serde_json::json;

impl Stage {
    async fn new(name: &str) -> Result<Self> {
        let world = World::with_front(name, &[]).await?;
        world.wait_image("tiny").await?;
        Ok(Self { world })
    }

    fn images(&self) -> Api<Image> {
        Api::namespaced(self.world.client.clone(), &self.world.namespace)
    }

    async fn image_of(&self, name: &str, server: &str) -> Result<()> {
        let yaml = format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {{name: {name}}}\n\
             spec: {{diskFormat: qcow2, source: {{server: {{name: {server}}}}}}}\n"
        );
        self.world.apply(&yaml).await
    }

    async fn wait_state(&self, name: &str, wanted: ImageState) -> Result<Image> {
        let what = format!("Image {name} to be {wanted:?}");
        let waited = wait_for(&what, 2 * PATIENCE, || async {
            let image = self.images().get(name).await?;
            Ok(Some(image).filter(|i| i.status.as_ref().and_then(|s| s.state) == Some(wanted)))
        });
        match waited.await {
            Ok(image) => Ok(image),
            Err(error) => Err(error.context(format!("{:?}", self.images().get(name).await?.status))),
        }
    }

    /// Waits until the copy of the disk lies in the guest's folder.
    async fn wait_copying(&self, server: &Server) -> Result<PathBuf> {
        let copy = self.file(server, "snapshot.qcow2")?;
        wait_for("the copy to have begun", PATIENCE, || async { Ok(copy.exists().then_some(())) }).await?;
        Ok(copy)
    }

    fn file(&self, server: &Server, name: &str) -> Result<PathBuf> {
        Ok(self.world.libvirt.state_dir().join("guests").join(server.uid().context("no uid")?).join(name))
    }

    /// Waits until nothing is left of a copy, neither in the Server's status nor on the host.
    async fn wait_tidy(&self, name: &str) -> Result<Server> {
        let server = self
            .world
            .wait(name, "no order and no task", |s| {
                let status = s.status.clone().unwrap_or_default();
                status.snapshots.is_empty() && status.failed_snapshots.is_empty() && shown(s).task_state.is_none()
            })
            .await?;
        for left in ["snapshot.qcow2", "snapshot.mark"] {
            let left = self.file(&server, left)?;
            wait_for("the copy to be gone", PATIENCE, || async { Ok((!left.exists()).then_some(())) }).await?;
        }
        Ok(server)
    }

    /// A guest that is off, whose disk takes seconds to copy.
    async fn heavy(&self, name: &str) -> Result<Server> {
        let flavor = "apiVersion: compute.ostler.dev/v1alpha1\nkind: Flavor\nmetadata: {name: heavy}\n\
                      spec: {vcpus: 1, memoryMiB: 128, diskGiB: 4}\n";
        self.world.apply(flavor).await?;
        self.world
            .apply(&format!(
                "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: {name}}}\n\
                 spec: {{flavor: heavy, image: tiny, powerState: Stopped}}\n"
            ))
            .await?;
        let server = self.world.wait_ready(name).await?;
        let disk = self.file(&server, "root.qcow2")?;
        let wrote = Command::new("qemu-io")
            .args(["-f", "qcow2", "-c", "write -q -P 7 64M 600M"])
            .arg(&disk)
            .status()
            .context("qemu-io")?;
        ensure!(wrote.success(), "qemu-io failed");
        Ok(server)
    }

    /// What the front answers a machine that asks to send an image.
    async fn ask(&self, node: &str, image: &Image) -> Result<u16> {
        let identity = self.world.cluster.node(node).await?;
        let token = std::fs::read_to_string(&identity.stream_token)?;
        let ca = std::fs::read(self.world.cluster.stream_certificate().await?.join("ca.crt"))?;
        let host = format!("{}-api-shim.{}.svc", chart::RELEASE, chart::NAMESPACE);
        let address = self.world.front.as_ref().context("no front")?.stream_address.parse()?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(&ca)?])
            .resolve(&host, address)
            .build()?;
        let (namespace, name) = (&self.world.namespace, image.name_any());
        let url = format!(
            "https://{host}:{}/streams/v1/images/{namespace}/{name}/{}/snapshot",
            address.port(),
            image.uid().unwrap_or_default()
        );
        Ok(client.post(url).bearer_auth(token.trim()).send().await?.status().as_u16())
    }
}

struct Stage {
    world: World,
}

fn ready_reason(image: &Image) -> String {
    let conditions = image.status.as_ref().map_or(&[][..], |s| &s.conditions);
    find_condition(conditions, "Ready").map(|c| c.reason.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn c23_an_image_of_a_running_guest_has_what_it_wrote_and_other_guests_start_from_it() -> Result<()> {
    let stage = Stage::new("img").await?;
    let world = &stage.world;
    // Not synced: the guest agent has it written before the copy begins.
    let write = "#!/bin/sh\\necho PROOF-$((40+2)) >/persist/proof\\necho WRITTEN-$((1+1))\\n";
    world.create("a", &format!(", userData: {{text: \"{write}\"}}")).await?;
    let a = world.wait_ready("a").await?;
    wait_for("the file", PATIENCE, || async { Ok(world.console(&a)?.contains("WRITTEN-2").then_some(())) }).await?;
    let qemu = world.qemu(&a)?;
    // Its agent answers a moment later.
    tokio::time::sleep(Duration::from_secs(2)).await;

    stage.image_of("snap", "a").await?;
    world.wait("a", "shown as being copied", |s| shown(s).task_state == Some(TaskState::ImageSnapshot)).await?;
    let image = stage.wait_state("snap", ImageState::Active).await?;
    let status = image.status.clone().unwrap_or_default();
    assert_eq!(status.virtual_size, Some(1 << 30), "the Flavor's disk");
    assert!(status.size.is_some_and(|n| n > 10 << 20) && status.sha256.is_some() && status.md5.is_some(), "{status:?}");
    assert_eq!(ready_reason(&image), reason::VERIFIED);
    let a = stage.wait_tidy("a").await?;
    assert_eq!((state(&a), world.qemu(&a)?), ("ACTIVE", qemu), "the guest was not touched");
    // The order is over, so nobody sends anything more.
    assert_eq!(stage.ask(NODE, &image).await?, 403);

    let read = "#!/bin/sh\\ncat /persist/proof\\n";
    world
        .apply(&format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: b}}\n\
             spec: {{flavor: small, image: snap, userData: {{text: \"{read}\"}}}}\n"
        ))
        .await?;
    let b = world.wait_ready("b").await?;
    let line = world.wait_booted(&b, 1).await?;
    assert!(line.contains("boots=2"), "it goes on where the other was: {line}");
    wait_for("the file of the other guest", PATIENCE, || async {
        Ok(world.console(&b)?.contains("PROOF-42").then_some(()))
    })
    .await?;

    // One that stands still, by libvirt's hand, and one that is off.
    world.change("b", json!({ "powerState": "Stopped" })).await?;
    world.wait_ready("b").await?;
    stage.image_of("at-rest", "b").await?;
    stage.wait_state("at-rest", ImageState::Active).await?;
    stage.wait_tidy("b").await?;

    // An Image that comes before its Server waits for it; one of a Server that has no disk waits too.
    stage.image_of("early", "c").await?;
    let early = wait_for("a word", PATIENCE, || async {
        Ok(Some(stage.images().get("early").await?).filter(|i| ready_reason(i) == reason::SERVER_NOT_FOUND))
    });
    assert_eq!(early.await?.status.and_then(|s| s.state), Some(ImageState::Queued));
    world.create("c", ", powerState: Stopped").await?;
    stage.wait_state("early", ImageState::Active).await?;

    for name in ["a", "b", "c"] {
        world.delete(name).await?;
    }
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn c23_whatever_happens_in_the_middle_of_a_copy_nothing_stays_behind() -> Result<()> {
    let mut stage = Stage::new("imgmid").await?;
    let a = stage.heavy("a").await?;

    // The node role is killed: it begins anew, and the image is made once.
    stage.image_of("killed-role", "a").await?;
    let copy = stage.wait_copying(&a).await?;
    let image = stage.images().get("killed-role").await?;
    assert_eq!(stage.ask("n2", &image).await?, 403, "another machine");
    assert_eq!(stage.ask(NODE, &image).await?, 204, "its own machine");
    stage.world.kill_node_role();
    wait_for("qemu-img to have ended with it", PATIENCE, || async {
        let path = copy.to_str().unwrap_or_default();
        let found = Command::new("pgrep").args(["-f", &format!("qemu-img convert.*{path}")]).output()?;
        Ok(found.stdout.is_empty().then_some(()))
    })
    .await?;
    assert!(copy.exists());
    stage.world.start_node_role().await?;
    let image = stage.wait_state("killed-role", ImageState::Active).await?;
    assert_eq!(image.status.and_then(|s| s.virtual_size), Some(4 << 30));
    stage.wait_tidy("a").await?;

    // The Image is deleted.
    stage.image_of("deleted", "a").await?;
    stage.wait_copying(&a).await?;
    stage.images().delete("deleted", &DeleteParams::default()).await?;
    stage.wait_tidy("a").await?;

    // The guest is started: it waits for the end of the copy, and both are done.
    stage.image_of("started", "a").await?;
    stage.wait_copying(&a).await?;
    stage.world.change("a", json!({ "powerState": "Running" })).await?;
    stage.wait_state("started", ImageState::Active).await?;
    stage.world.wait_ready("a").await?;
    let a = stage.wait_tidy("a").await?;
    assert_eq!(state(&a), "ACTIVE");

    // It runs, and is switched off while it is copied: it is copied again as it lies.
    stage.image_of("stopped", "a").await?;
    stage.wait_copying(&a).await?;
    stage.world.change("a", json!({ "powerState": "Stopped" })).await?;
    stage.wait_state("stopped", ImageState::Active).await?;
    stage.world.wait_ready("a").await?;
    stage.wait_tidy("a").await?;

    // The Server is deleted.
    stage.image_of("lost", "a").await?;
    stage.wait_copying(&a).await?;
    stage.world.delete("a").await?;
    let image = stage.wait_state("lost", ImageState::Killed).await?;
    assert_eq!(ready_reason(&image), reason::SERVER_NOT_FOUND);
    assert_eq!(stage.world.remains()?, Vec::<String>::new());
    Ok(())
}
