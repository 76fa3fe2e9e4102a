//! The streams of this host over HTTPS: `GET /v1/servers/{uid}/console?lines=N`.

mod authorize;
pub mod tail;
pub mod tls;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use ostler_engine::guest::{Folder, identify};
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    storage::{Layout, whose},
    watch::Servers,
};
pub use authorize::{Authorizer, Verdict};

/// Connections at a time. Each costs a task and a handshake, and clients are few: the shim's replicas.
const CONNECTIONS: usize = 64;
/// How long a connection may take from its first byte to its last.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the answers are made from.
#[derive(Clone)]
pub struct Streams {
    /// The Servers of this host.
    pub servers: Servers,
    /// Where the logs are.
    pub layout: Layout,
    /// Who may read them.
    pub authorizer: Arc<Authorizer>,
}

#[derive(Deserialize)]
struct Params {
    lines: Option<usize>,
}

/// Serves until `shutdown`.
pub async fn serve(
    addr: SocketAddr,
    tls: Arc<rustls::ServerConfig>,
    streams: Streams,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new().route("/v1/servers/{uid}/console", get(console)).with_state(streams);
    let acceptor = TlsAcceptor::from(tls);
    let listener = TcpListener::bind(addr).await?;
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let stream = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: give the others time to end.
                    tracing::warn!(%error, "cannot accept a stream connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
        tokio::spawn(async move {
            let served = tokio::time::timeout(DEADLINE, async {
                let stream = acceptor.accept(stream).await?;
                auto::Builder::new(TokioExecutor::new())
                    .http1_only()
                    .serve_connection(TokioIo::new(stream), service)
                    .await
            });
            if let Ok(Err(error)) = served.await {
                tracing::debug!(%error, "a stream connection ended early");
            }
            drop(permit);
        });
    }
}

async fn console(
    State(streams): State<Streams>,
    Path(uid): Path<String>,
    Query(params): Query<Params>,
    headers: HeaderMap,
) -> Response {
    match answer(&streams, &uid, params.lines, &headers).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response(),
        Err((status, why)) => (status, why).into_response(),
    }
}

async fn answer(
    streams: &Streams,
    uid: &str,
    lines: Option<usize>,
    headers: &HeaderMap,
) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    let token = bearer(headers).ok_or((StatusCode::UNAUTHORIZED, "a bearer token is required"))?;
    let server = streams.servers.by_uid(uid);
    // An unknown Server is asked about like a known one, so that nobody without permission learns which exist.
    let (namespace, name) = server.as_ref().map_or((String::new(), String::new()), |s| {
        (s.metadata.namespace.clone().unwrap_or_default(), s.metadata.name.clone().unwrap_or_default())
    });
    match streams.authorizer.may_read(token, &namespace, &name).await {
        Ok(Verdict::Allowed) => {}
        Ok(Verdict::Unauthenticated) => return Err((StatusCode::UNAUTHORIZED, "the token is not good for this host")),
        Ok(Verdict::Forbidden) => return Err((StatusCode::FORBIDDEN, "get servers/console is not allowed")),
        Err(error) => {
            tracing::warn!(%error, "cannot check a token");
            return Err((StatusCode::SERVICE_UNAVAILABLE, "the token cannot be checked now"));
        }
    }
    let unknown = (StatusCode::NOT_FOUND, "no such Server on this host");
    let guest = server.and_then(|s| identify(&s).ok()).ok_or(unknown)?.guest;
    let (layout, uid) = (streams.layout.clone(), uid.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        // The folder is marked with its Server's uid: an id label that names another guest opens nothing.
        if whose(&layout, guest)? != Folder::Of(uid) {
            return Ok(Vec::new());
        }
        tail::tail(&layout.console_log(guest), lines)
    });
    match read.await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => {
            tracing::warn!(%error, %guest, "cannot read a console log");
            Err((StatusCode::INTERNAL_SERVER_ERROR, "the console log cannot be read"))
        }
        Err(_) => Err((StatusCode::SERVICE_UNAVAILABLE, "this host is shutting down")),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}
