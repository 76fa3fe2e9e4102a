//! Fetches from a real server on loopback, for Servers that come and go.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, routing::get};
use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    core::DeserializeGuard,
    runtime::{
        reflector::{self, store::Writer},
        watcher,
    },
};
use ostler_crds::{Server, ServerSpec, image::DiskFormat};
use prometheus_client::registry::Registry;
use tokio::{sync::Semaphore, time::timeout};
use uuid::Uuid;

use super::*;
use crate::{
    image,
    node::{
        storage::{ImageCache, Layout, shim},
        watch::Guarded,
    },
};

const SOON: Duration = Duration::from_secs(10);

struct Bench {
    fetches: Fetches,
    signals: Signals,
    writer: Writer<Guarded>,
    url: String,
    asked: Arc<AtomicUsize>,
    /// An answer of `/image` for each permit.
    answers: Arc<Semaphore>,
    layout: Layout,
    _dir: tempfile::TempDir,
}

async fn bench() -> Bench {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counter, gate) = (Arc::clone(&asked), Arc::clone(&answers));
    let answer = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            "hello"
        }
    };
    let router = Router::new()
        .route("/image", get(answer))
        .route("/other", get(|| async { "hello" }))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }));
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::new(dir.path());
    layout.create().unwrap();
    let args = image::Args { image_allow_cidr: vec!["127.0.0.0/8".parse().unwrap()], image_max_bytes: 1 << 20 };
    let shim = shim::Args { shim_url: None, shim_address: None, shim_ca: None, token_file: None };
    let web = image::Fetcher::new(&args).unwrap();
    let cache = ImageCache::new(layout.clone(), web, shim::ShimSource::new(shim));
    let (store, writer) = reflector::store();
    let (storage, signals) = (Arc::new(Storage::new(layout.clone(), cache)), Signals::default());
    let metrics = Metrics::new(&mut Registry::default());
    let fetches = Fetches::new(storage, Servers(store), signals.clone(), metrics);
    Bench { fetches, signals, writer, url, asked, answers, layout, _dir: dir }
}

impl Bench {
    fn server(&mut self, n: u128, deleted: bool) {
        let mut server = Server::new(&n.to_string(), ServerSpec::default());
        server.metadata.namespace = Some("n".into());
        server.metadata.uid = Some(n.to_string());
        server.metadata.deletion_timestamp = deleted.then_some(Time(jiff::Timestamp::UNIX_EPOCH));
        self.writer.apply_watcher_event(&watcher::Event::Apply(DeserializeGuard(Ok(server))));
    }

    fn ask(&self, n: u128, path: &str) -> Answer {
        let step = StorageStep::FetchImage {
            image: "i".into(),
            sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".into(),
            size: 5,
            format: DiskFormat::Raw,
            url: Some(format!("{}{path}", self.url)),
        };
        self.fetches.ask(&step, &n.to_string(), guest(n)).unwrap()
    }

    /// Waits for signals for these guests.
    async fn woken(&self, guests: impl IntoIterator<Item = u128>) {
        let mut missing: Vec<_> = guests.into_iter().map(|n| GuestEvent::Changed(guest(n))).collect();
        let mut stream = std::pin::pin!(self.signals.clone().stream());
        while !missing.is_empty() {
            let event = timeout(SOON, stream.next()).await.unwrap().unwrap();
            missing.retain(|e| *e != event);
        }
    }

    fn images(&self) -> usize {
        std::fs::read_dir(self.layout.images()).unwrap().count()
    }

    async fn until(&self, what: impl Fn(&Self) -> bool) {
        let wait = async {
            while !what(self) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, wait).await.unwrap();
    }
}

fn guest(n: u128) -> GuestId {
    GuestId(Uuid::from_u128(n))
}

#[tokio::test]
async fn an_image_is_fetched_once_however_many_ask_and_all_are_woken() {
    let mut b = bench().await;
    (1..=100).for_each(|n| b.server(n, false));
    assert!((1..=100).all(|n| b.ask(n, "/image") == Answer::UnderWay));
    assert_eq!(b.ask(1, "/image"), Answer::UnderWay);
    b.answers.add_permits(1);
    b.woken(1..=100).await;
    assert_eq!((b.asked.load(Ordering::SeqCst), b.images()), (1, 1));
    assert!(b.fetches.0.all().is_empty());
}

#[tokio::test]
async fn all_who_wait_are_told_why_it_failed_until_it_is_tried_again() {
    let mut b = bench().await;
    (1..=3).for_each(|n| b.server(n, false));
    assert_eq!((b.ask(1, "/missing"), b.ask(2, "/missing")), (Answer::UnderWay, Answer::UnderWay));
    b.woken([1, 2]).await;
    for n in 1..=3 {
        let Answer::Failed(failure, rest) = b.ask(n, "/missing") else { panic!("{n} is not told") };
        assert_eq!(failure.kind, FailureKind::ImageUnreachable);
        assert!(failure.cause.contains("404") && rest < Duration::from_secs(2), "{failure:?} {rest:?}");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(b.ask(1, "/missing"), Answer::UnderWay, "tried again");
}

#[tokio::test]
async fn a_fetch_ends_with_the_last_server_that_waits_for_it() {
    let mut b = bench().await;
    (1..=2).for_each(|n| b.server(n, false));
    assert_eq!((b.ask(1, "/image"), b.ask(2, "/image")), (Answer::UnderWay, Answer::UnderWay));
    b.until(|b| b.asked.load(Ordering::SeqCst) == 1).await;
    b.server(1, true);
    tokio::time::sleep(LOOK_EVERY * 3).await;
    assert_eq!(b.fetches.0.all().len(), 1, "the other one still waits");
    b.server(2, true);
    b.until(|b| b.fetches.0.all().is_empty()).await;
    assert_eq!(b.images(), 0, "and no partial file");
    b.server(3, false);
    assert_eq!(b.ask(3, "/image"), Answer::UnderWay, "it begins anew");
}

#[tokio::test]
async fn the_same_bytes_from_a_slow_server_keep_nobody_waiting() {
    let mut b = bench().await;
    (1..=2).for_each(|n| b.server(n, false));
    assert_eq!(b.ask(1, "/image"), Answer::UnderWay);
    b.until(|b| b.asked.load(Ordering::SeqCst) == 1).await;
    assert_eq!(b.ask(2, "/other"), Answer::UnderWay);
    b.woken([1, 2]).await;
    assert_eq!(b.images(), 1);
    b.until(|b| b.fetches.0.all().is_empty()).await;
}
