//! A host with two guests: the one that is worked on, and one that must not notice.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use kube::{Api, ResourceExt, api::DeleteParams};
use ostler_crds::{Image, Server, image::ImageState, names::reason, server::state::shown};
use ostler_test_harness::{GuestImage, Process, wait_for};
use ostler_tests_node::{PATIENCE, World, condition_reason, image_yaml, state};
use serde_json::{Value, json};

use crate::{
    host,
    operation::{Disk, Operation, Victim, Wish},
    roles,
    tally::Tally,
};

/// Name of the Server that is worked on.
const NAME: &str = "a";
/// Most crashes of one operation; there are about a dozen.
const MOST: usize = 60;
/// How long a role that has nothing left to do is watched, to see whether it crashes after all.
const QUIET: Duration = Duration::from_millis(400);
const LARGE: &str = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Flavor
metadata: {name: large}
spec: {vcpus: 2, memoryMiB: 160, diskGiB: 2}
";

/// The parts, and the guest that must not notice.
pub struct Stage {
    /// All parts.
    pub world: World,
    bystander: Server,
    qemu: String,
    images: usize,
}

/// How an operation ended.
struct End {
    /// What the API and the host show of the Server.
    shows: String,
    leftovers: Vec<String>,
}

impl Stage {
    /// All parts running, and a guest beside.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn new(name: &str) -> Result<Self> {
        let world = World::with_front(name, &[]).await?;
        world.apply(LARGE).await?;
        // The same system as other bytes.
        let served = world.cluster.scratch().join("images");
        let mut bytes = std::fs::read(GuestImage::get()?.path())?;
        bytes.extend([0; 65536]);
        std::fs::write(served.join("other.qcow2"), &bytes)?;
        let sha256 = ostler_test_harness::guest_image::sha256_of(&served.join("other.qcow2"))?;
        world.apply(&image_yaml("other", &world.files.url("other.qcow2"), &sha256)).await?;
        for image in ["tiny", "other"] {
            world.wait_image(image).await?;
        }
        world.create("bystander", "").await?;
        let bystander = world.wait_ready("bystander").await?;
        let qemu = world.qemu(&bystander)?;
        Ok(Self { world, bystander, qemu, images: 0 })
    }

    /// Tries every crash point of an operation, each from a fresh Server.
    ///
    /// # Errors
    /// A part of the test itself fails. What goes wrong after a crash is in the tally.
    pub async fn every_point(&mut self, operation: &Operation, told: &dyn Fn(&str)) -> Result<Tally> {
        let mut tally = Tally::default();
        let wanted = self.once(operation, None).await?.context("no end without a crash")?.1;
        tally.leftovers += wanted.leftovers.len();
        tally.wrong.extend(wanted.leftovers.iter().map(|l| format!("{}: without a crash: {l}", operation.name)));
        for points in 0..MOST {
            let what = format!("{} crash {points}", operation.name);
            match self.once(operation, Some(points)).await {
                Ok(None) => return Ok(tally),
                Ok(Some((after, end))) => {
                    told(&format!("{what}: after {after}"));
                    tally.points += 1;
                    tally.leftovers += end.leftovers.len();
                    tally.wrong.extend(end.leftovers.iter().map(|l| format!("{what} after {after}: {l}")));
                    if end.shows != wanted.shows {
                        tally.other_ends += 1;
                        tally.wrong.push(format!("{what} after {after}: {}", difference(&wanted.shows, &end.shows)));
                    }
                }
                Err(error) => {
                    tally.points += 1;
                    tally.other_ends += 1;
                    tally.wrong.push(format!("{what}: {error:#}"));
                    self.recover().await?;
                }
            }
            tally.disturbed += self.disturbed();
        }
        bail!("{} has more than {MOST} points", operation.name)
    }

    /// One Server, one operation, and a crash after the first point, then one after the second of what is left, and so on.
    ///
    /// # Errors
    /// It does not come to its end, or a part of the test itself fails.
    pub async fn again_and_again(&mut self, operation: &Operation) -> Result<Tally> {
        let mut tally = Tally::default();
        self.fresh(operation).await?;
        let started = roles::kill(&mut self.world, operation.victim)?;
        self.wish(operation.wish).await?;
        for points in 0..MOST {
            let mut role = roles::crashing(&self.world, &started, points)?;
            if !self.crashed(operation, &mut role).await? {
                break;
            }
            tally.points += 1;
        }
        roles::start(&mut self.world, operation.victim).await?;
        self.wait_end(operation).await?;
        let end = self.end(operation).await?;
        tally.leftovers = end.leftovers.len();
        tally.wrong = end.leftovers;
        tally.disturbed = self.disturbed();
        Ok(tally)
    }

    /// From a fresh Server to the end, with a crash at one point. `None`: there are fewer points.
    async fn once(&mut self, operation: &Operation, crash: Option<usize>) -> Result<Option<(String, End)>> {
        self.fresh(operation).await?;
        let started = roles::kill(&mut self.world, operation.victim)?;
        self.wish(operation.wish).await?;
        let mut after = String::new();
        if let Some(points) = crash {
            let mut role = roles::crashing(&self.world, &started, points)?;
            if !self.crashed(operation, &mut role).await? {
                drop(role);
                roles::start(&mut self.world, operation.victim).await?;
                return Ok(None);
            }
            after = roles::last_words(&role);
        }
        roles::start(&mut self.world, operation.victim).await?;
        self.wait_end(operation).await.with_context(|| format!("after {after}"))?;
        Ok(Some((after, self.end(operation).await?)))
    }

    /// Waits until the role has ended itself (true), or has nothing left to do.
    async fn crashed(&self, operation: &Operation, role: &mut Process) -> Result<bool> {
        let until = std::time::Instant::now() + PATIENCE;
        while role.ended().is_none() {
            if self.is_over(operation).await? {
                tokio::time::sleep(QUIET).await;
                return Ok(role.ended().is_some());
            }
            ensure!(std::time::Instant::now() < until, "{} neither crashes nor comes to its end", operation.name);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok(true)
    }

    /// A Server as the operation finds it, and no other.
    async fn fresh(&mut self, operation: &Operation) -> Result<()> {
        if self.world.servers().get_opt(NAME).await?.is_some() {
            self.world.delete(NAME).await?;
        }
        let images: Api<Image> = self.image_api();
        images
            .delete_collection(&DeleteParams::default(), &kube::api::ListParams::default().labels("crash=yes"))
            .await?;
        if matches!(operation.wish, Wish::Create(_)) {
            return Ok(());
        }
        self.wish(Wish::Create("Stopped")).await?;
        let server = self.world.wait_ready(NAME).await?;
        host::mark(&self.disk(&server)?)?;
        for wish in operation.from {
            self.wish(*wish).await?;
            let server = self.world.wait(NAME, "where it begins", settled).await?;
            if server.spec.power_state == ostler_crds::server::PowerState::Running {
                self.world.wait_booted(&server, 1).await?;
            }
        }
        Ok(())
    }

    /// After something that went wrong: both roles run, and the Server is gone.
    async fn recover(&mut self) -> Result<()> {
        self.world.kill_node_role();
        roles::start(&mut self.world, Victim::Node).await?;
        if self.world.manager.process.ended().is_some() {
            roles::start(&mut self.world, Victim::Manager).await?;
        }
        Ok(())
    }

    async fn wish(&mut self, wish: Wish) -> Result<()> {
        match wish {
            Wish::Create(power) => {
                self.world.create(NAME, &format!(", powerState: {power}, resizePolicy: Verify")).await
            }
            Wish::Spec(fields) => self.world.change(NAME, fields()).await,
            Wish::Act(type_) => {
                self.world.change(NAME, json!({ "action": { "id": format!("crash-{type_}"), "type": type_ } })).await
            }
            Wish::Image => {
                self.images += 1;
                let yaml = format!(
                    "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {{name: snap-{}, labels: {{crash: \
                     'yes'}}}}\nspec: {{diskFormat: qcow2, source: {{server: {{name: {NAME}}}}}}}\n",
                    self.images
                );
                self.world.apply(&yaml).await
            }
            Wish::Delete => {
                self.world.servers().delete(NAME, &DeleteParams::default()).await?;
                Ok(())
            }
        }
    }

    async fn wait_end(&self, operation: &Operation) -> Result<()> {
        let what = format!("the end of {}", operation.name);
        let waited = wait_for(&what, PATIENCE, || async { Ok(self.is_over(operation).await?.then_some(())) });
        match waited.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let server = self.world.servers().get_opt(NAME).await?;
                Err(error.context(format!("{:?}", server.and_then(|s| s.status))))
            }
        }
    }

    /// Whether the operation is over, as far as its owner sees.
    async fn is_over(&self, operation: &Operation) -> Result<bool> {
        let Some(server) = self.world.servers().get_opt(NAME).await? else { return Ok(operation.end.is_empty()) };
        let done = match operation.wish {
            Wish::Act(type_) => ostler_tests_node::has_done(&server, &format!("crash-{type_}")),
            Wish::Image => self.image().await?.is_some_and(|s| s == ImageState::Active),
            Wish::Create(_) | Wish::Spec(_) | Wish::Delete => true,
        };
        let confirmed = operation.name.ends_with("confirm") || operation.name.ends_with("auto");
        let open = server.status.as_ref().is_some_and(|s| s.resize.is_some());
        Ok(done && state(&server) == operation.end && settled(&server) && !(confirmed && open))
    }

    async fn image(&self) -> Result<Option<ImageState>> {
        let image = self.image_api().get_opt(&format!("snap-{}", self.images)).await?;
        Ok(image.and_then(|i| i.status).and_then(|s| s.state))
    }

    fn image_api(&self) -> Api<Image> {
        Api::namespaced(self.world.client.clone(), &self.world.namespace)
    }

    async fn end(&self, operation: &Operation) -> Result<End> {
        let server = self.world.servers().get_opt(NAME).await?;
        let uid = server.as_ref().and_then(ResourceExt::uid).unwrap_or_default();
        let mut present = vec![self.bystander.uid().context("no uid")?];
        if operation.disk != Disk::Gone {
            present.push(uid.clone());
        }
        // What a role does right after its report.
        let mut leftovers = Vec::new();
        for _ in 0..20 {
            leftovers = host::leftovers(&self.world.libvirt, &present, &uid, operation.files)?;
            if leftovers.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut shows = host::fingerprint(&self.world.libvirt, &uid)?;
        if let Some(server) = &server {
            shows += &in_the_api(server);
            if operation.disk != Disk::Gone {
                let marked = host::is_marked(&self.disk(server)?)?;
                ensure!(marked == (operation.disk == Disk::Kept), "its disk is marked: {marked}");
            }
        }
        shows += &format!("\nimages {:?}", self.all_images().await?);
        Ok(End { shows, leftovers })
    }

    async fn all_images(&self) -> Result<Vec<(bool, Option<ImageState>)>> {
        let list = self.image_api().list(&Default::default()).await?;
        let said = |i: Image| (i.spec.hidden, i.status.and_then(|s| s.state));
        let mut all: Vec<_> = list.items.into_iter().map(said).collect();
        all.sort_by_key(|i| format!("{i:?}"));
        Ok(all)
    }

    fn disk(&self, server: &Server) -> Result<PathBuf> {
        let uid = server.uid().context("no uid")?;
        Ok(self.world.libvirt.state_dir().join("guests").join(uid).join("root.qcow2"))
    }

    /// 1 if the other guest is not the process that it was.
    fn disturbed(&mut self) -> usize {
        let now = self.world.qemu(&self.bystander).unwrap_or_default();
        let disturbed = usize::from(now != self.qemu);
        self.qemu = now;
        disturbed
    }
}

/// Nothing goes on, and all is as wished.
fn settled(server: &Server) -> bool {
    let Some(status) = &server.status else { return false };
    let idle = status.snapshots.is_empty() && status.failed_snapshots.is_empty() && shown(server).task_state.is_none();
    if server.spec.power_state == ostler_crds::server::PowerState::Shelved {
        return idle && status.host.is_none() && status.shelf.is_some();
    }
    let seen = status.observed_generation == server.metadata.generation;
    idle && seen && status.shelf.is_none() && condition_reason(server, "Ready") == Some(reason::AS_WISHED)
}

/// What the API shows, without what differs from one Server to the next.
fn in_the_api(server: &Server) -> String {
    let mut status: Value = server.status.as_ref().map_or(Value::Null, |s| json!({
        "state": s.state, "flavor": s.flavor.as_ref().map(|f| &f.name), "image": s.image.as_ref().map(|i| &i.name),
        "resize": s.resize.as_ref().map(|r| &r.from.name), "lastAction": s.last_action, "host": s.host,
        "addresses": s.addresses.len(), "launched": s.launched_at.is_some(), "fault": s.fault, "shelf": s.shelf.is_some(),
        "conditions": s.conditions.iter().map(|c| (&c.type_, &c.status, &c.reason)).collect::<Vec<_>>(),
    }));
    status["finalizers"] = json!(server.finalizers());
    format!("\n{status:#}")
}

/// The lines that are in one only.
fn difference(wanted: &str, found: &str) -> String {
    let only = |a: &str, b: &str, sign: char| {
        let lines: Vec<_> =
            a.lines().filter(|l| !b.lines().any(|o| o == *l)).map(|l| format!("{sign}{}", l.trim())).collect();
        lines.join(" ")
    };
    format!("{} {}", only(wanted, found, '-'), only(found, wanted, '+'))
}
