//! Copies of guests' disks from node roles: `POST` (may it come, and is it awaited?) and then `PUT` of
//! `/streams/v1/images/{namespace}/{name}/{uid}/snapshot`.
//!
//! The bearer token is checked by TokenReview (its audience ours) and SubjectAccessReview (`update images/snapshot` in the
//! Image's namespace). RBAC cannot say "its own", so two more things must hold: the Server that the Image names is on the
//! machine that the token was made for, and the manager has ordered this very Image of it.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::{HeaderMap, Method, StatusCode, header};
use kube::{Api, ResourceExt};
use ostler_crds::{Image, Server, image::ImageState, names::STREAM_AUDIENCE};

use crate::{
    app::App,
    authenticate::review,
    authorize::Rule,
    fault::Fault,
    store::{
        images::{self, NotTaken},
        refusal, upload,
    },
};

/// What a node role must be allowed.
const WRITE_SNAPSHOT: Rule = Rule::sub("update", "images", "snapshot");

/// The routes, on the stream listener.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/streams/v1/images/{namespace}/{name}/{uid}/snapshot", post(ask).put(take)).with_state(app)
}

type Names = (String, String, String);

async fn ask(State(app): State<Arc<App>>, Path(names): Path<Names>, headers: HeaderMap) -> Response {
    let start = Instant::now();
    let answer = announce(&app, &names, &headers).await;
    answered(&app, &Method::POST, start, answer)
}

async fn take(State(app): State<Arc<App>>, Path(names): Path<Names>, headers: HeaderMap, body: Body) -> Response {
    let start = Instant::now();
    let answer = receive(&app, &names, &headers, body).await;
    answered(&app, &Method::PUT, start, answer)
}

fn answered(app: &App, method: &Method, start: Instant, answer: Result<(), Fault>) -> Response {
    let status = answer.as_ref().map_or_else(|f| f.status, |()| StatusCode::NO_CONTENT);
    app.metrics.answered("stream", method, "/streams/v1/images", status.as_u16(), start.elapsed().as_secs_f64());
    match answer {
        Ok(()) => status.into_response(),
        Err(fault) => (status, format!("{}\n", fault.message)).into_response(),
    }
}

async fn announce(app: &App, names: &Names, headers: &HeaderMap) -> Result<(), Fault> {
    admitted(app, names, headers).await.map(drop)
}

async fn receive(app: &App, names: &Names, headers: &HeaderMap, body: Body) -> Result<(), Fault> {
    let image = admitted(app, names, headers).await?;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if length.is_some_and(|l| l > app.files.limit()) {
        let message = format!("The image is larger than the limit of {} bytes.", app.files.limit());
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    images::begin(&app.client, &image).await?;
    let uid = image.metadata.uid.as_deref().unwrap_or_default();
    let received = upload::receive(&app.files, uid, &image.spec, body).await?;
    // What a user may upload and keep, a host may not: its bytes are a disk or nothing.
    if let Some(why) = &received.obstacle {
        app.files.discard(uid, &received.digests.sha256).await;
        return Err(Fault::bad_request(format!("The image was refused: {why}.")));
    }
    match images::report(&app.client, &app.stores, &image, &received).await {
        Ok(_) => Ok(()),
        Err(NotTaken::Gone) => {
            app.files.remove(uid).await;
            Err(Fault::new(StatusCode::GONE, "The image was deleted during the upload."))
        }
        Err(NotTaken::Late(first)) => {
            if first.as_ref() != Some(&received.digests.sha256) {
                app.files.discard(uid, &received.digests.sha256).await;
            }
            Err(Fault::conflict("The image has its data already."))
        }
        // Whether the report was taken is not known, so the bytes stay; they go with the image.
        Err(NotTaken::Failed(fault)) => Err(fault),
    }
}

/// The Image, if this caller may send its bytes now. Image and Server are read afresh: the caches may be behind the order.
async fn admitted(app: &App, (namespace, name, uid): &Names, headers: &HeaderMap) -> Result<Image, Fault> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let token = bearer.and_then(|v| v.strip_prefix("Bearer ")).filter(|t| review::may_be_one(t));
    let token = token.ok_or_else(Fault::unauthorized)?;
    let caller = review::reviewed(&app.client, token, Some(STREAM_AUDIENCE)).await?.ok_or_else(Fault::unauthorized)?;
    if !app.authorizer.may(&caller.user, Some(namespace), WRITE_SNAPSHOT).await? {
        return Err(Fault::forbidden("Permission to update images/snapshot is needed."));
    }
    let foreign = || Fault::forbidden("No image of a Server of this machine is awaited under that name.");
    let node = caller.node.filter(|n| !n.is_empty()).ok_or_else(foreign)?;
    let image: Option<Image> = get(app, "Image", namespace, name).await?;
    let image = image.filter(|i| i.uid().as_ref() == Some(uid) && i.metadata.deletion_timestamp.is_none());
    let image = image.ok_or_else(|| Fault::not_found("There is no such image."))?;
    let source = image.spec.source.server.as_ref().ok_or_else(foreign)?;
    let server: Option<Server> = get(app, "Server", namespace, &source.name).await?;
    if !server.is_some_and(|server| is_ordered(&server, &node, uid)) {
        return Err(foreign());
    }
    match image.status.as_ref().and_then(|s| s.state) {
        Some(ImageState::Active | ImageState::Killed) => Err(Fault::conflict("The image takes no data any more.")),
        Some(ImageState::Queued | ImageState::Saving) | None => Ok(image),
    }
}

/// Whether the Server is on this machine, and this image of it is ordered.
fn is_ordered(server: &Server, node: &str, uid: &str) -> bool {
    server.status.as_ref().is_some_and(|status| {
        status.host.as_deref() == Some(node) && status.snapshots.iter().any(|order| order.uid == uid)
    })
}

async fn get<K>(app: &App, what: &'static str, namespace: &str, name: &str) -> Result<Option<K>, Fault>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(app.client.clone(), namespace);
    api.get_opt(name).await.map_err(|e| refusal::read_fault(what, &e))
}

#[cfg(test)]
mod tests {
    use ostler_crds::{ServerSpec, ServerStatus, server::SnapshotOrder};

    use super::*;

    #[test]
    fn only_the_servers_own_machine_sends_only_what_was_ordered() {
        let mut server = Server::new("a", ServerSpec::default());
        assert!(!is_ordered(&server, "", "u"));
        let order = SnapshotOrder { image: "i".into(), uid: "u".into() };
        let status = ServerStatus { host: Some("h".into()), snapshots: vec![order], ..ServerStatus::default() };
        server.status = Some(status);
        assert!(is_ordered(&server, "h", "u"));
        assert!(!is_ordered(&server, "h2", "u") && !is_ordered(&server, "h", "v") && !is_ordered(&server, "", "u"));
    }
}
