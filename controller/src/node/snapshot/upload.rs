//! Sends a copy of a disk to the OpenStack front.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::StreamExt;
use ostler_crds::server::SnapshotOrder;
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, header};
use tokio_util::io::ReaderStream;

use super::{super::storage::shim::ShimSource, failure::Failed};

/// How long the front may answer a question.
const QUESTION: Duration = Duration::from_secs(30);
/// How long nothing may move. When all is sent, the front still writes the bytes to disk and looks at them.
const STANDSTILL: Duration = Duration::from_secs(180);
/// Longest explanation that is passed on, in characters.
const MESSAGE: usize = 300;

/// Asks whether the front takes the bytes, which it then awaits.
pub(super) async fn announce(front: &ShimSource, namespace: &str, order: &SnapshotOrder) -> Result<(), Failed> {
    let request = request(front, Method::POST, namespace, order).await?;
    let sent = request.timeout(QUESTION).send().await;
    verdict(sent.map_err(unreachable)?).await
}

/// Sends the file.
pub(super) async fn upload(
    front: &ShimSource,
    namespace: &str,
    order: &SnapshotOrder,
    file: &Path,
) -> Result<(), Failed> {
    let here = |e: std::io::Error| Failed::Copy(ostler_engine::guest::FailureKind::Storage, e.to_string());
    let file = tokio::fs::File::open(file).await.map_err(here)?;
    let length = file.metadata().await.map_err(here)?.len();
    let moved = Arc::new(Mutex::new(Instant::now()));
    let told = Arc::clone(&moved);
    let bytes = ReaderStream::with_capacity(file, 256 << 10).inspect(move |_| {
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    });
    let request = request(front, Method::PUT, namespace, order).await?;
    let request = request.header(header::CONTENT_LENGTH, length).body(Body::wrap_stream(bytes));
    tokio::select! {
        sent = request.send() => verdict(sent.map_err(unreachable)?).await,
        () = standstill(&moved) => Err(Failed::Unreachable(format!("nothing moved for {} s", STANDSTILL.as_secs()))),
    }
}

async fn standstill(moved: &Mutex<Instant>) {
    loop {
        let left = STANDSTILL.saturating_sub(moved.lock().unwrap_or_else(PoisonError::into_inner).elapsed());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left).await;
    }
}

async fn request(
    front: &ShimSource,
    method: Method,
    namespace: &str,
    order: &SnapshotOrder,
) -> Result<RequestBuilder, Failed> {
    let path = format!("/streams/v1/images/{namespace}/{}/{}/snapshot", order.image, order.uid);
    front.send(method, &path).await.map_err(|e| Failed::Unreachable(e.to_string()))
}

/// The URL stands in the settings; the innermost cause says what happened.
fn unreachable(error: reqwest::Error) -> Failed {
    let error = error.without_url();
    let mut source: &dyn std::error::Error = &error;
    while let Some(next) = source.source() {
        source = next;
    }
    Failed::Unreachable(format!("the OpenStack front was not reached: {source}"))
}

async fn verdict(answer: Response) -> Result<(), Failed> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let said: String =
        answer.text().await.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MESSAGE).collect();
    let said = format!("the OpenStack front answered {}: {said}", status.as_u16());
    Err(match status {
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::CONFLICT => Failed::Needless,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Failed::Refused(said),
        StatusCode::INSUFFICIENT_STORAGE => Failed::Forbidden(said),
        // The front may not have seen the order yet, nor a permission that was just granted.
        _ => Failed::Unreachable(said),
    })
}
