//! Storage on a real file system with the real qemu-img. A machine without qemu-img fails these tests.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt, process::Command};

use axum::{Router, routing::get};
use ostler_crds::image::DiskFormat;
use ostler_engine::guest::{DiskFile, FailureKind, Folder};
use ostler_hypervisor::{KeptDisk, Origin};
use uuid::Uuid;

use super::*;
use crate::image::{Args, Fetcher};

/// Digest of the bytes that the test's web server sends.
fn sha256() -> String {
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned()
}

struct Bench {
    storage: Storage,
    url: String,
    _dir: tempfile::TempDir,
}

const UID: &str = "uid-1";

async fn bench() -> Bench {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}/image", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/image", get(|| async { "hello" }))).await });
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    layout.create().unwrap();
    let args = Args { image_allow_cidr: vec!["127.0.0.0/8".parse().unwrap()], image_max_bytes: 1 << 20 };
    let shim = shim::Args { shim_url: None, shim_address: None, shim_ca: None, token_file: None };
    let cache = ImageCache::new(layout.clone(), Fetcher::new(&args).unwrap(), shim::ShimSource::new(shim));
    Bench { storage: Storage::new(layout, cache), url, _dir: dir }
}

fn guest() -> GuestId {
    GuestId(Uuid::from_u128(7))
}

fn fetch(url: &str, sha256: &str) -> StorageStep {
    StorageStep::FetchImage {
        image: "i".into(),
        sha256: sha256.into(),
        size: 5,
        format: DiskFormat::Raw,
        url: Some(url.into()),
    }
}

fn origin(flavor: &str, rebuild: Option<&str>) -> Origin {
    Origin { image: "i".into(), sha256: sha256(), flavor: flavor.into(), rebuild: rebuild.map(Into::into) }
}

fn create(size: u64) -> StorageStep {
    StorageStep::CreateRootDisk { guest: guest(), base_format: DiskFormat::Raw, size, origin: origin("small", None) }
}

fn drive() -> StorageStep {
    let files = vec![("openstack/latest/meta_data.json".to_owned(), b"{}".to_vec())];
    StorageStep::WriteConfigDrive { guest: guest(), files }
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_guests_files_are_made_shown_and_removed() {
    let b = bench().await;
    let digest = sha256();
    assert_eq!(b.storage.observe(guest(), vec![digest.clone()]).await.unwrap(), Files::default());
    for step in [fetch(&b.url, &digest), create(1 << 20), drive()] {
        b.storage.execute(&step, UID).await.unwrap();
        b.storage.execute(&step, UID).await.unwrap();
    }
    let files = b.storage.observe(guest(), vec![digest.clone()]).await.unwrap();
    let all = Files {
        folder: Folder::Of(UID.into()),
        root_disk: Some(DiskFile { size: Some(1 << 20), origin: Some(origin("small", None)) }),
        config_drive: true,
        cached: [digest.clone()].into(),
        ..Files::default()
    };
    assert_eq!(files, all);
    for (step, marked) in
        [(StorageStep::MarkSaved { guest: guest() }, true), (StorageStep::UnmarkSaved { guest: guest() }, false)]
    {
        b.storage.execute(&step, UID).await.unwrap();
        b.storage.execute(&step, UID).await.unwrap();
        assert_eq!(b.storage.observe(guest(), vec![]).await.unwrap().saved_mark, marked);
    }
    let layout = b.storage.layout();
    assert_eq!(mode(&layout.guest(guest())), 0o711);
    assert_eq!(mode(&layout.config_drive(guest())), 0o600);
    assert_eq!(mode(&layout.image(&digest)), 0o444);
    let info = Command::new("qemu-img").args(["info", "-f", "qcow2"]).arg(layout.root_disk(guest())).output().unwrap();
    let info = String::from_utf8(info.stdout).unwrap();
    assert!(info.contains("virtual size: 1 MiB") && info.contains("backing file format: raw"), "{info}");
    b.storage.execute(&StorageStep::RemoveGuestFiles { guest: guest() }, UID).await.unwrap();
    b.storage.execute(&StorageStep::RemoveGuestFiles { guest: guest() }, UID).await.unwrap();
    assert_eq!(fs::read_dir(layout.guests()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_wrong_digest_and_a_dead_server_are_told_apart() {
    let b = bench().await;
    let wrong = b.storage.execute(&fetch(&b.url, &"0".repeat(64)), UID).await.unwrap_err();
    assert_eq!(wrong.kind, FailureKind::ImageDigestMismatch);
    let dead = b.storage.execute(&fetch("http://127.0.0.1:9/x", &sha256()), UID).await.unwrap_err();
    assert_eq!(dead.kind, FailureKind::ImageUnreachable);
    assert_eq!(fs::read_dir(b.storage.layout().images()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_disk_that_is_there_is_never_made_anew() {
    let b = bench().await;
    b.storage.execute(&fetch(&b.url, &sha256()), UID).await.unwrap();
    b.storage.execute(&create(1 << 20), UID).await.unwrap();
    let disk = b.storage.layout().root_disk(guest());
    fs::write(&disk, "a guest's own data").unwrap();
    b.storage.execute(&create(2 << 20), UID).await.unwrap();
    assert_eq!(fs::read_to_string(&disk).unwrap(), "a guest's own data");
}

async fn twice(b: &Bench, step: StorageStep) -> Files {
    b.storage.execute(&step, UID).await.unwrap();
    b.storage.execute(&step, UID).await.unwrap();
    b.storage.observe(guest(), vec![]).await.unwrap()
}

fn root(size: u64, flavor: &str, rebuild: Option<&str>) -> Option<DiskFile> {
    Some(DiskFile { size: Some(size), origin: Some(origin(flavor, rebuild)) })
}

#[tokio::test]
async fn a_disk_is_made_anew_once_for_each_mark_and_the_old_one_is_there_until_then() {
    let b = bench().await;
    b.storage.execute(&fetch(&b.url, &sha256()), UID).await.unwrap();
    twice(&b, create(1 << 20)).await;
    let anew = |id: &str| StorageStep::ReplaceRootDisk {
        guest: guest(),
        base_format: DiskFormat::Raw,
        size: 2 << 20,
        origin: origin("small", Some(id)),
    };
    assert_eq!(twice(&b, anew("r1")).await.root_disk, root(2 << 20, "small", Some("r1")));
    let disk = b.storage.layout().root_disk(guest());
    let before = fs::read(&disk).unwrap();
    fs::write(&disk, [&before[..], b"a guest's own data"].concat()).unwrap();
    twice(&b, anew("r1")).await;
    assert!(fs::read(&disk).unwrap().ends_with(b"own data"), "what bears the mark is left");
    twice(&b, anew("r2")).await;
    assert!(!fs::read(&disk).unwrap().ends_with(b"own data"));
}

#[tokio::test]
async fn a_disk_is_said_to_be_doomed_when_the_new_one_is_whole_and_before_it_is_replaced() {
    let b = bench().await;
    b.storage.execute(&fetch(&b.url, &sha256()), UID).await.unwrap();
    twice(&b, create(1 << 20)).await;
    let (disk, base) = (b.storage.layout().root_disk(guest()), b.storage.layout().image(&sha256()));
    fs::write(&disk, "old").unwrap();
    let (seen, told) = (disk.clone(), io::Error::from(io::ErrorKind::StorageFull));
    let doomed = move || {
        let files = fs::read_dir(seen.parent().unwrap()).unwrap().count();
        assert_eq!((fs::read_to_string(&seen).unwrap().as_str(), files), ("old", 4), "both, the mark and the owner");
        Err(told)
    };
    let failed = root_disk::replace(&disk, &base, DiskFormat::Raw, 1 << 20, doomed).await.unwrap_err();
    assert_eq!((failed.kind(), fs::read_to_string(&disk).unwrap().as_str()), (FailureKind::DiskFull, "old"));
    assert_eq!(Origin::of_nothing(&origin("small", Some("r1"))).image, "");
    root_disk::replace(&disk, &base, DiskFormat::Raw, 1 << 20, || Ok(())).await.unwrap();
    assert_ne!(fs::read(&disk).unwrap(), b"old");
}

#[tokio::test]
async fn a_disk_grows_and_never_shrinks_and_comes_back_as_it_was() {
    let b = bench().await;
    b.storage.execute(&fetch(&b.url, &sha256()), UID).await.unwrap();
    twice(&b, create(1 << 20)).await;
    let id = guest();
    let kept = KeptDisk { origin: origin("small", None), to: "large".into() };
    let files = twice(&b, StorageStep::KeepRootDisk { guest: id, kept: kept.clone() }).await;
    assert_eq!(files.kept, Some(kept));
    twice(&b, StorageStep::MarkRootDisk { guest: id, origin: origin("large", None) }).await;
    for (size, wanted) in [(3 << 20, 3 << 20), (1 << 20, 3 << 20)] {
        let files = twice(&b, StorageStep::GrowRootDisk { guest: id, size }).await;
        assert_eq!(files.root_disk, root(wanted, "large", None));
    }
    let files = twice(&b, StorageStep::RestoreRootDisk { guest: id }).await;
    assert_eq!((files.root_disk, files.kept), (root(1 << 20, "small", None), None));
    let kept = KeptDisk { origin: origin("small", None), to: "wide".into() };
    twice(&b, StorageStep::KeepRootDisk { guest: id, kept }).await;
    assert_eq!(twice(&b, StorageStep::RemoveKeptDisk { guest: id }).await.kept, None);
    // A mark whose disk was not copied yet says nothing.
    fs::write(b.storage.layout().kept_mark(id), "{}").unwrap();
    assert_eq!(b.storage.observe(id, vec![]).await.unwrap().kept, None);
}

#[tokio::test]
async fn a_rescue_disk_is_known_by_its_base() {
    let b = bench().await;
    b.storage.execute(&fetch(&b.url, &sha256()), UID).await.unwrap();
    twice(&b, create(1 << 20)).await;
    let rescue =
        StorageStep::CreateRescueDisk { guest: guest(), base: sha256(), base_format: DiskFormat::Raw, size: 1 << 20 };
    assert_eq!(twice(&b, rescue).await.rescue_disk, Some(sha256()));
    assert_eq!(twice(&b, StorageStep::RemoveRescueDisk { guest: guest() }).await.rescue_disk, None);
}

#[tokio::test]
async fn the_folder_of_another_server_is_neither_used_nor_removed() {
    let b = bench().await;
    b.storage.execute(&drive(), "somebody-else").await.unwrap();
    for step in [drive(), StorageStep::RemoveGuestFiles { guest: guest() }] {
        assert_eq!(b.storage.execute(&step, UID).await.unwrap_err().kind, FailureKind::Foreign);
    }
    assert!(b.storage.layout().config_drive(guest()).exists());
}

#[tokio::test]
async fn what_a_crash_left_is_removed_and_nothing_else() {
    let b = bench().await;
    b.storage.execute(&drive(), UID).await.unwrap();
    let layout = b.storage.layout();
    let unique = Uuid::new_v4().simple();
    fs::write(layout.images().join(format!("aa.{unique}.part")), "x").unwrap();
    fs::write(layout.guest(guest()).join(format!("root.qcow2.{unique}.part")), "x").unwrap();
    fs::create_dir(layout.unfinished(guest())).unwrap();
    for mark in [layout.kept_mark(guest()), layout.rescue_mark(guest())] {
        fs::write(mark, "{}").unwrap();
    }
    // Somebody else's.
    fs::write(layout.images().join("bb"), "x").unwrap();
    fs::write(layout.images().join("mine.part"), "x").unwrap();
    fs::create_dir(layout.guests().join(".snapshot")).unwrap();
    fs::create_dir(layout.guests().join("backup")).unwrap();
    fs::write(layout.guests().join("backup").join(format!("x.{unique}.part")), "x").unwrap();
    assert_eq!(leftovers::clean(layout).unwrap(), 5);
    assert_eq!(leftovers::clean(layout).unwrap(), 0);
    assert!(layout.config_drive(guest()).exists() && layout.images().join("bb").exists());
    assert!(layout.images().join("mine.part").exists() && layout.guests().join(".snapshot").exists());
    assert_eq!(fs::read_dir(layout.guests().join("backup")).unwrap().count(), 1);
}

fn cache(b: &Bench, name: &str, hours: u64) {
    let path = b.storage.layout().images().join(name);
    fs::write(&path, "bytes").unwrap();
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(3600 * hours);
    fs::File::open(path).unwrap().set_modified(then).unwrap();
}

fn in_cache(b: &Bench) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(b.storage.layout().images())
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy()[..2].to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn cached_images_go_when_no_disk_stands_on_them_and_no_server_needs_them() {
    let b = bench().await;
    let layout = b.storage.layout();
    let digest = |c: &str| c.repeat(32);
    for (name, hours) in [("aa", 9), ("bb", 8), ("cc", 7), ("dd", 6), ("ee", 0)] {
        cache(&b, &digest(name), hours);
    }
    cache(&b, "no digest", 99);
    // One stands below a root disk, one below a disk that is not finished, in a folder that is not either.
    let create = |sha256: String| StorageStep::CreateRootDisk {
        guest: guest(),
        base_format: DiskFormat::Raw,
        size: 1 << 20,
        origin: Origin { sha256, ..origin("small", None) },
    };
    b.storage.execute(&create(digest("aa")), UID).await.unwrap();
    let unfinished = layout.unfinished(guest());
    fs::create_dir(&unfinished).unwrap();
    let part = unfinished.join("moving.part");
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b"])
        .arg(layout.image(&digest("bb")))
        .args([&part, std::path::Path::new("1M")])
        .status();
    assert!(made.unwrap().success());

    let wanted = BTreeSet::from([digest("cc")]);
    let tidy = |limit: u64| b.storage.tidy_cache(Limit::Bytes(limit), wanted.clone());
    let state = tidy(1 << 30).await.unwrap();
    assert_eq!((state.images, state.removed, state.needed_bytes), (5, 0, state.bytes / 5 * 3));
    let state = tidy(0).await.unwrap();
    assert_eq!((state.images, state.removed), (4, 1));
    assert_eq!(in_cache(&b), ["aa", "bb", "cc", "ee", "no"], "ee came just now");

    // A disk over one that is gone is not made; it is fetched again.
    let failed = b.storage.execute(&StorageStep::RemoveGuestFiles { guest: guest() }, UID).await;
    failed.unwrap();
    let gone = b.storage.execute(&create(digest("dd")), UID).await.unwrap_err();
    assert_eq!(gone.kind, FailureKind::Interrupted);
    assert!(!layout.root_disk(guest()).exists());

    // What cannot be read may stand on anything.
    fs::create_dir(layout.guest(guest())).unwrap();
    let header: &[u8] = b"QFI\xfb\0\0\0\x03\0\0\0\0\0\0\xff\xff\0\0\0\x20";
    fs::write(layout.root_disk(guest()), header).unwrap();
    for name in ["aa", "bb", "cc", "ee"] {
        cache(&b, &digest(name), 50);
    }
    assert!(tidy(0).await.is_err());
    assert_eq!(in_cache(&b), ["aa", "bb", "cc", "ee", "no"]);
}

#[tokio::test]
async fn a_full_disk_is_told_as_such() {
    let full = StorageError::Io { what: "writing", source: io::Error::from(io::ErrorKind::StorageFull) };
    assert_eq!(full.failure(&drive()).kind, FailureKind::DiskFull);
    let full = StorageError::QemuImg("Could not write: No space left on device".into());
    assert_eq!(full.failure(&drive()).kind, FailureKind::DiskFull);
}
