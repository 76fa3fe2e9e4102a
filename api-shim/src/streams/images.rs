//! Image bytes for node roles: `GET /streams/v1/images/{id}/{sha256}`, the bearer token checked by TokenReview (its
//! audience ours) and SubjectAccessReview (`get images/bytes` in the Image's namespace).

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header};
use kube::ResourceExt;
use ostler_crds::{Image, image::ImageState, names::STREAM_AUDIENCE};
use tokio_util::io::ReaderStream;

use crate::{app::App, authenticate::review, authorize::Rule, fault::Fault, store::reads};

/// What a node role must be allowed.
const READ_BYTES: Rule = Rule::sub("get", "images", "bytes");

/// The router of the stream listener.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/streams/v1/images/{id}/{sha256}", get(stream)).with_state(app)
}

async fn stream(
    State(app): State<Arc<App>>,
    Path((id, sha256)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let start = Instant::now();
    let answer = serve(&app, &id, &sha256, &headers).await;
    let status = answer.as_ref().map_or_else(|f| f.status, |r| r.status());
    app.metrics.answered(
        "stream",
        &http::Method::GET,
        "/streams/v1/images",
        status.as_u16(),
        start.elapsed().as_secs_f64(),
    );
    answer.unwrap_or_else(|fault| (fault.status, format!("{}\n", fault.message)).into_response())
}

async fn serve(app: &App, id: &str, sha256: &str, headers: &HeaderMap) -> Result<Response, Fault> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = bearer.and_then(|v| v.strip_prefix("Bearer ")).filter(|t| review::may_be_one(t));
    let token = token.ok_or_else(Fault::unauthorized)?;
    let user = review::review(&app.client, token, Some(STREAM_AUDIENCE)).await?.ok_or_else(Fault::unauthorized)?;
    let image = find(app, id, sha256).ok_or_else(missing)?;
    if !app.authorizer.may(&user, image.namespace().as_deref(), READ_BYTES).await? {
        return Err(Fault::forbidden("Permission to get images/bytes is needed."));
    }
    open(app, image.metadata.uid.as_deref().unwrap_or_default(), sha256).await
}

fn missing() -> Fault {
    Fault::not_found("There are no such bytes.")
}

/// The Image with this OpenStack id whose bytes have this digest. The digest decides: an id may be claimed twice.
fn find(app: &App, id: &str, sha256: &str) -> Option<Arc<Image>> {
    let has_them = |image: &Arc<Image>| {
        let status = image.status.as_ref().filter(|s| s.state == Some(ImageState::Active));
        image.spec.source.kept_by_front() && status.and_then(|s| s.sha256.as_deref()) == Some(sha256)
    };
    app.stores.images.by_id(reads::uuid_of(id)?).into_iter().find(has_them)
}

/// The bytes of an uploaded image as a response; 404 where this replica does not have them.
pub async fn open(app: &App, uid: &str, sha256: &str) -> Result<Response, Fault> {
    let file = match tokio::fs::File::open(app.files.path(uid, sha256)).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            tracing::error!(image = uid, "the bytes of an active image are not in the image folder");
            return Err(Fault::not_found(
                "The bytes of this image are not here. Do all replicas share one image folder?",
            ));
        }
        Err(error) => return Err(Fault::internal("open image", &error)),
    };
    let length = file.metadata().await.map_err(|e| Fault::internal("open image", &e))?.len();
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(file, 128 * 1024)));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    Ok(response)
}
