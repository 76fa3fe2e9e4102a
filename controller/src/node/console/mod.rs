//! The streams of this host over HTTPS: `GET /v1/servers/{uid}/console?lines=N`.

mod authorize;
pub mod strangers;
pub mod tail;
#[cfg(test)]
mod tests;
pub mod tls;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Extension, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use ostler_engine::guest::{Folder, identify};
use serde::Deserialize;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use self::strangers::{Stranger, Strangers};
use super::{
    storage::{Layout, whose},
    watch::Servers,
};
pub use authorize::{Authorizer, Verdict};

/// Answers at a time to those whose token was found good. Clients are few: the shim's replicas.
const ANSWERS: usize = 64;
/// How long a connection may take until its request is there.
const HELLO: Duration = Duration::from_secs(5);
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
    let acceptor = TlsAcceptor::from(tls);
    let listener = TcpListener::bind(addr).await?;
    listen(listener, acceptor, router(streams), shutdown).await;
    Ok(())
}

fn router(streams: Streams) -> Router {
    Router::new().route("/v1/servers/{uid}/console", get(console)).with_state(streams)
}

async fn listen(listener: TcpListener, acceptor: TlsAcceptor, router: Router, shutdown: CancellationToken) {
    let (room, strangers) = (Arc::new(Semaphore::new(ANSWERS)), Strangers::default());
    loop {
        let (stream, peer) = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => (stream, strangers::peer(peer.ip())),
                Err(error) => {
                    // Out of file descriptors, most likely: give the others time to end.
                    tracing::warn!(%error, "cannot accept a stream connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let Some(stranger) = strangers.admit(peer) else {
            tracing::debug!(%peer, "a stream connection too many");
            continue;
        };
        let visitor = Visitor { peer, pass: Arc::new(Mutex::new(Pass::Stranger(stranger))), room: Arc::clone(&room) };
        let router = router.clone().layer(Extension(visitor));
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match timeout(DEADLINE, connection(stream, acceptor, router)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(error, "a stream connection ended early"),
                Err(_) => tracing::debug!("a stream connection took too long"),
            }
        });
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    router: Router,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let began = Instant::now();
    let stream = timeout(HELLO, acceptor.accept(stream)).await??;
    let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
    // One request each: a client that says nothing more keeps nothing.
    let left = HELLO.saturating_sub(began.elapsed());
    http.http1().timer(TokioTimer::new()).header_read_timeout(left).keep_alive(false);
    http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await
}

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Visitor {
    peer: IpAddr,
    pass: Arc<Mutex<Pass>>,
    room: Arc<Semaphore>,
}

/// What a connection holds for as long as it lasts.
enum Pass {
    /// Its token is not checked yet.
    Stranger(#[expect(dead_code, reason = "it counts until it is dropped")] Stranger),
    /// It was found good; one that waits for an answer's turn holds nothing.
    Known(#[expect(dead_code, reason = "it counts until it is dropped")] Option<OwnedSemaphorePermit>),
}

impl Visitor {
    /// Its token was found good: waits for a turn to be answered, which it keeps to the end.
    async fn come_in(&self) {
        self.hold(Pass::Known(None));
        // The semaphore is never closed.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        self.hold(Pass::Known(permit));
    }

    fn hold(&self, pass: Pass) {
        *self.pass.lock().unwrap_or_else(PoisonError::into_inner) = pass;
    }
}

async fn console(
    State(streams): State<Streams>,
    Extension(visitor): Extension<Visitor>,
    Path(uid): Path<String>,
    Query(params): Query<Params>,
    headers: HeaderMap,
) -> Response {
    match answer(&streams, &visitor, &uid, params.lines, &headers).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response(),
        Err((status, why)) => (status, why).into_response(),
    }
}

async fn answer(
    streams: &Streams,
    visitor: &Visitor,
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
    match streams.authorizer.may_read(token, &namespace, &name, visitor.peer).await {
        Ok(Verdict::Allowed) => visitor.come_in().await,
        Ok(Verdict::TooMany) => return Err((StatusCode::TOO_MANY_REQUESTS, "too many bad tokens; try again later")),
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
