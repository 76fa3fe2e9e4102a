//! Copies of real files, of guests of the model. What the front does is shown by tests/node.

use std::{fs, process::Command};

use kube::{
    core::DeserializeGuard,
    runtime::{
        reflector::{self, store::Writer},
        watcher,
    },
};
use ostler_crds::{Server, ServerSpec, ServerStatus};
use ostler_engine::guest::{FailureKind, identify};
use ostler_hypervisor::{
    CopyState, DomainDefinition, HypervisorStep, Origin, Owner, StorageStep, fake::ModelHypervisor,
};
use prometheus_client::registry::Registry;
use uuid::Uuid;

use super::*;
use crate::{
    image,
    node::{
        storage::{ImageCache, Layout, shim},
        watch::Guarded,
    },
};

const UID: &str = "00000000-0000-0000-0000-000000000001";

struct Bench {
    snapshots: Snapshots<ModelHypervisor>,
    model: Arc<ModelHypervisor>,
    layout: Layout,
    writer: Writer<Guarded>,
    _dir: tempfile::TempDir,
}

fn guest() -> GuestId {
    GuestId(Uuid::from_u128(1))
}

fn subject() -> Subject {
    Subject { uid: UID.into(), namespace: "n".into(), guest: guest(), most: 0, order: Some(order("i")) }
}

fn order(uid: &str) -> SnapshotOrder {
    SnapshotOrder { image: "image".into(), uid: uid.into() }
}

fn qemu_img(args: &[&str]) {
    assert!(Command::new("qemu-img").args(args).status().unwrap().success(), "{args:?}");
}

/// A guest that is off, with a disk over a base.
async fn bench() -> Bench {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    layout.create().unwrap();
    let base = layout.image(&"a".repeat(64));
    qemu_img(&["create", "-q", "-f", "qcow2", base.to_str().unwrap(), "8M"]);
    let args = image::Args { image_allow_cidr: vec![], image_max_bytes: 1 << 20 };
    let front =
        shim::ShimSource::new(shim::Args { shim_url: None, shim_address: None, shim_ca: None, token_file: None });
    let cache = ImageCache::new(layout.clone(), image::Fetcher::new(&args).unwrap(), front.clone());
    let storage = Arc::new(Storage::new(layout.clone(), cache));
    let step = StorageStep::CreateRootDisk {
        guest: guest(),
        base_format: ostler_crds::image::DiskFormat::Qcow2,
        size: 16 << 20,
        origin: Origin { image: "i".into(), sha256: "a".repeat(64), flavor: "f".into(), rebuild: None },
    };
    storage.execute(&step, UID).await.unwrap();
    let model = Arc::new(ModelHypervisor::default());
    let (store, writer) = reflector::store();
    let metrics = Metrics::new(&mut Registry::default());
    let snapshots = Snapshots::new(Arc::clone(&model), storage, front, Servers(store), Signals::default(), metrics);
    Bench { snapshots, model, layout, writer, _dir: dir }
}

impl Bench {
    async fn start(&self) {
        let definition = DomainDefinition {
            id: guest(),
            owner: Owner { namespace: "n".into(), name: "a".into(), uid: UID.into() },
            vcpus: 1,
            memory_mib: 1,
            accelerator: ostler_crds::host::Accelerator::Tcg,
            root_disk: self.layout.root_disk(guest()),
            second_disk: None,
            config_drive: None,
            nics: vec![],
            console_log: self.layout.console_log(guest()),
        };
        for step in [HypervisorStep::Define(definition), HypervisorStep::Start(guest())] {
            self.model.execute(&step).await.unwrap();
        }
    }

    fn server(&mut self, orders: &[SnapshotOrder]) -> Server {
        let mut server = Server::new("a", ServerSpec::default());
        server.metadata.namespace = Some("n".into());
        server.metadata.uid = Some(UID.into());
        server.status = Some(ServerStatus { snapshots: orders.to_vec(), ..ServerStatus::default() });
        self.writer.apply_watcher_event(&watcher::Event::Apply(DeserializeGuard(Ok(server.clone()))));
        server
    }

    fn see(&self, server: &Server) -> Copying {
        self.snapshots.see(&identify(server).unwrap(), server)
    }

    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.layout.guest(guest())).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    async fn idle(&self) {
        for _ in 0..100 {
            if self.snapshots.stop_of(UID).is_none() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the task goes on");
    }
}

#[tokio::test]
async fn the_disk_of_a_guest_that_is_off_is_flattened_and_nothing_stays_behind() {
    let b = bench().await;
    let copy = copy::make(&b.snapshots.0, &subject()).await.unwrap();
    let inspected = ostler_images::inspect(&copy, ostler_crds::image::DiskFormat::Qcow2).await.unwrap();
    assert_eq!(inspected.virtual_size, 16 << 20, "it stands alone");
    assert_eq!(b.left(), ["owner", "root.json", "root.qcow2", "snapshot.mark", "snapshot.qcow2"]);
    copy::tidy(&b.snapshots.0, &subject()).await.unwrap();
    copy::tidy(&b.snapshots.0, &subject()).await.unwrap();
    assert_eq!(b.left(), ["owner", "root.json", "root.qcow2"]);
}

#[tokio::test]
async fn a_running_guest_is_copied_by_the_hypervisor_and_a_copy_that_breaks_off_is_tried_again() {
    let b = bench().await;
    b.start().await;
    let end = |state: CopyState| {
        let model = Arc::clone(&b.model);
        async move {
            while model.copy_state(guest()).await.unwrap() != CopyState::Running {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            model.finish_copy(guest(), state);
        }
    };
    let subject = subject();
    let (made, ()) = tokio::join!(copy::make(&b.snapshots.0, &subject), end(CopyState::Done));
    made.unwrap();
    let (made, ()) = tokio::join!(copy::make(&b.snapshots.0, &subject), end(CopyState::Failed("cut".into())));
    assert!(made.unwrap_err().passes());
    let full = CopyState::Failed("No space left on device".into());
    let (made, ()) = tokio::join!(copy::make(&b.snapshots.0, &subject), end(full));
    assert_eq!(made.unwrap_err(), Failed::Copy(FailureKind::DiskFull, "No space left on device".into()));
}

#[tokio::test]
async fn a_disk_of_somebody_else_or_none_at_all_is_not_copied() {
    let b = bench().await;
    let other = Subject { uid: "another".into(), ..subject() };
    let failed = copy::make(&b.snapshots.0, &other).await.unwrap_err();
    assert!(!failed.passes() && failed.message().contains("no disk"), "{}", failed.message());
    assert_eq!(b.left(), ["owner", "root.json", "root.qcow2"]);
}

#[tokio::test]
async fn an_order_shows_as_a_task_ends_when_it_is_taken_back_and_by_a_deletion() {
    let mut b = bench().await;
    let server = b.server(&[order("i")]);
    // The front is away, which passes: it is tried again and again.
    assert_eq!(b.see(&server), Copying { task: Some(TaskState::ImageSnapshot), failed: vec![] });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(b.snapshots.stop_of(UID).is_some());
    let server = b.server(&[]);
    b.idle().await;
    assert_eq!(b.see(&server), Copying::default());

    let server = b.server(&[order("i")]);
    b.see(&server);
    assert!(b.snapshots.quit(UID).await);
    assert_eq!(b.left(), ["owner", "root.json", "root.qcow2"]);
}

#[tokio::test]
async fn what_a_crash_left_of_a_copy_is_removed_when_its_server_is_seen_first() {
    let mut b = bench().await;
    b.start().await;
    b.model
        .begin_copy(&ostler_hypervisor::DiskCopy {
            guest: guest(),
            disk: b.layout.root_disk(guest()),
            to: b.layout.snapshot(guest()),
        })
        .await
        .unwrap();
    for path in [b.layout.snapshot(guest()), b.layout.snapshot_mark(guest())] {
        fs::write(path, "x").unwrap();
    }
    let server = b.server(&[]);
    assert_eq!(b.see(&server), Copying::default());
    b.idle().await;
    assert_eq!(b.left(), ["owner", "root.json", "root.qcow2"]);
    assert!(matches!(b.model.copy_state(guest()).await.unwrap(), CopyState::Failed(_)));
}

#[test]
fn failures_are_told_for_as_long_as_their_order_stands() {
    let failure = Failed::Copy(FailureKind::DiskFull, "no\nroom.".into());
    let ended = [("i".to_owned(), Err(failure)), ("j".to_owned(), Ok(()))].into();
    let told = super::failed(&[order("i"), order("j"), order("k")], &ended);
    let [one] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((one.uid.as_str(), one.reason.as_str()), ("i", "DiskFull"));
    assert!(one.message.starts_with("cannot copy the Server's disk: no room. The Server is as it was"), "{one:?}");
}
