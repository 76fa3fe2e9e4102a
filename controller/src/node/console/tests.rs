//! The streams over real connections; the API server that checks tokens is one of our own.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Json, routing::post};
use kube::runtime::reflector;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::*;

struct Bench {
    addr: SocketAddr,
    http: reqwest::Client,
    reviews: Arc<AtomicUsize>,
    _dir: tempfile::TempDir,
}

async fn bench() -> Bench {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let reviews = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reviews);
    let review = move |Json(mut asked): Json<Value>| {
        counter.fetch_add(1, Ordering::SeqCst);
        let good = asked["spec"]["token"] == "good";
        asked["status"] = json!({ "authenticated": good, "user": { "username": "shim" },
            "audiences": [ostler_crds::names::STREAM_AUDIENCE] });
        async { Json(asked) }
    };
    let allowed = |Json(mut asked): Json<Value>| async {
        asked["status"] = json!({ "allowed": true });
        Json(asked)
    };
    let api = Router::new()
        .route("/apis/authentication.k8s.io/v1/tokenreviews", post(review))
        .route("/apis/authorization.k8s.io/v1/subjectaccessreviews", post(allowed));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, api).await });
    let client = crate::common::client::of(kube::Config::new(url)).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let (store, _) = reflector::store();
    let authorizer = Arc::new(Authorizer::new(client));
    let streams = Streams { servers: Servers(store), layout: Layout::new(dir.path()), authorizer };
    let identity = tls::identity("h", IpAddr::from([127, 0, 0, 1])).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(identity.config);
    tokio::spawn(listen(listener, acceptor, router(streams), CancellationToken::new()));
    let certificate = reqwest::Certificate::from_pem(identity.pem.as_bytes()).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    Bench { addr, http, reviews, _dir: dir }
}

impl Bench {
    async fn ask(&self, token: &str) -> Result<StatusCode, reqwest::Error> {
        let url = format!("https://{}/v1/servers/u/console", self.addr);
        Ok(self.http.get(url).bearer_auth(token).send().await?.status())
    }
}

#[tokio::test]
async fn connections_that_say_nothing_are_few_and_end_soon() {
    let b = bench().await;
    let began = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(b.addr).await.unwrap());
    }
    let mut ninth = TcpStream::connect(b.addr).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(1), ninth.read(&mut [0; 1])).await.unwrap().unwrap_or(0), 0);
    assert!(b.ask("good").await.is_err(), "this peer has all that it may have");
    for mut stream in silent {
        assert_eq!(timeout(HELLO * 2, stream.read(&mut [0; 1])).await.unwrap().unwrap_or(0), 0);
    }
    assert!(began.elapsed() < HELLO + Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(b.ask("good").await.unwrap(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bad_tokens_cost_few_reviews_and_good_ones_are_served() {
    let b = bench().await;
    for _ in 0..20 {
        assert_eq!(b.ask("good").await.unwrap(), StatusCode::NOT_FOUND);
    }
    assert_eq!(b.reviews.load(Ordering::SeqCst), 1);
    for _ in 0..10 {
        assert_eq!(b.ask("bad").await.unwrap(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(b.reviews.load(Ordering::SeqCst), 2, "the same bad token is checked once");
    let mut refused = 0;
    for n in 0..60 {
        refused += usize::from(b.ask(&format!("bad-{n}")).await.unwrap() == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused >= 60 - 20 && b.reviews.load(Ordering::SeqCst) <= 22, "{refused}");
    assert_eq!(b.ask("good").await.unwrap(), StatusCode::NOT_FOUND, "known to be good");
}
