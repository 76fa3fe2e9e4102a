//! Fetching from a real server on loopback.

use axum::{Router, body::Body, response::Redirect, routing::get};

use super::*;

async fn server() -> String {
    let router = Router::new()
        .route("/ok", get(|| async { "hello" }))
        .route("/missing", get(|| async { axum::http::StatusCode::NOT_FOUND }))
        .route("/there", get(|| async { Redirect::temporary("http://169.254.169.254/secret") }))
        .route(
            "/cut",
            get(|| async {
                let pieces = futures::stream::iter([Ok("hel"), Err(std::io::Error::other("cut"))]);
                Body::from_stream(pieces)
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{addr}")
}

fn fetcher(open_loopback: bool) -> Fetcher {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let image_allow_cidr = if open_loopback { vec!["127.0.0.0/8".parse().unwrap()] } else { vec![] };
    Fetcher::new(&Args { image_allow_cidr, image_max_bytes: 1000 }).unwrap()
}

fn hello() -> Wanted {
    Wanted {
        sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned(),
        size: None,
        format: DiskFormat::Raw,
    }
}

async fn tried(path: &str, wanted: Wanted, open: bool) -> (Result<Fetched, FetchError>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("{}{path}", server().await);
    let result = fetcher(open).fetch(&url, &wanted, &dir.path().join("image"), |_, _| {}).await;
    let left = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    (result, left)
}

#[tokio::test]
async fn the_promised_bytes_arrive_whole() {
    let (result, left) = tried("/ok", hello(), true).await;
    let fetched = result.unwrap();
    assert_eq!((fetched.digests.size, fetched.inspected.virtual_size), (5, 512));
    assert_eq!(left, ["image"]);
}

#[tokio::test]
async fn other_bytes_than_promised_leave_nothing_behind() {
    let (result, left) = tried("/ok", Wanted { sha256: "0".repeat(64), ..hello() }, true).await;
    let error = result.unwrap_err();
    assert_eq!(error.reason(), reason::IMAGE_DIGEST_MISMATCH);
    assert!(!error.is_transient());
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_connection_that_is_cut_is_tried_again_and_leaves_nothing_behind() {
    let (result, left) = tried("/cut", hello(), true).await;
    let error = result.unwrap_err();
    assert_eq!(error.reason(), reason::IMAGE_UNREACHABLE);
    assert!(error.is_transient());
    assert!(left.is_empty());
}

#[tokio::test]
async fn more_bytes_than_promised_are_refused() {
    let (result, _) = tried("/ok", Wanted { size: Some(4), ..hello() }, true).await;
    assert!(matches!(result, Err(FetchError::TooLarge { limit: 4, .. })));
}

#[tokio::test]
async fn a_missing_image_names_the_status() {
    let (result, _) = tried("/missing", hello(), true).await;
    assert!(matches!(result, Err(FetchError::Status { status: 404, .. })));
}

#[tokio::test]
async fn closed_addresses_are_not_asked_neither_directly_nor_by_a_redirect() {
    let (result, _) = tried("/ok", hello(), false).await;
    assert!(matches!(result, Err(FetchError::Closed(_))));
    let (result, _) = tried("/there", hello(), true).await;
    assert!(result.unwrap_err().to_string().contains("closed address"));
}

#[test]
fn a_trickle_is_told_from_a_slow_line() {
    let begin = Instant::now();
    let at = |seconds| begin + Duration::from_secs(seconds);
    let mut slow = Pace::default();
    assert!((0..600).all(|s| slow.keeps(20 << 10, at(s))), "20 KiB a second will do");
    let mut trickle = Pace::default();
    let lasted = (0..600).take_while(|s| trickle.keeps(1, at(*s))).count();
    assert_eq!(lasted, 60);
}
