//! A guest's connection: one request, one answer.

use std::{
    fs, io,
    net::Ipv4Addr,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use jiff::Timestamp;
use ostler_crds::Server;
use ostler_engine::guest::{
    Folder, identify, instance_data,
    metadata::{self, Caller, MAX_PASSWORD, Method, token::Sealer},
};
use rand::{TryRngCore, rngs::OsRng};
use tokio::net::TcpStream;

use super::{
    super::{
        host::ThisHost,
        metrics::Metrics,
        storage::{Layout, whose},
        watch::Servers,
    },
    caller,
};

/// Largest head of a request. hyper takes no less.
const MAX_HEAD: usize = 8192;
/// How long a guest may take to send the head.
const HELLO: Duration = Duration::from_secs(5);
/// Bytes of `random_seed`, as in Nova.
const SEED_BYTES: usize = 512;

/// What answers are made from. Clones share it.
#[derive(Clone)]
pub struct Answers(Arc<Shared>);

struct Shared {
    servers: Servers,
    host: Arc<ThisHost>,
    layout: Layout,
    sealer: Sealer,
    metrics: Metrics,
}

/// A connection, and who is at its other end.
#[derive(Clone)]
struct Visit {
    answers: Answers,
    network: Arc<str>,
    peer: Ipv4Addr,
    socket: Arc<OwnedFd>,
}

async fn visited(State(visit): State<Visit>, request: Request<Body>) -> Response<Body> {
    visit.answers.answer(request, &visit.network, visit.peer, &visit.socket).await
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Answers {
    /// Answers from these.
    pub fn new(servers: Servers, host: Arc<ThisHost>, layout: Layout, sealer: Sealer, metrics: Metrics) -> Self {
        Self(Arc::new(Shared { servers, host, layout, sealer, metrics }))
    }

    /// A guest had too many connections.
    pub fn turned_away(&self) {
        self.0.metrics.metadata(0);
    }

    /// Answers the guest at `peer` of `network`.
    pub async fn serve(&self, stream: TcpStream, network: &Arc<str>, peer: Ipv4Addr) -> Result<(), Failed> {
        // The answer's TTL is the socket's, which hyper keeps.
        let socket = Arc::new(stream.as_fd().try_clone_to_owned()?);
        let visit = Visit { answers: self.clone(), network: Arc::clone(network), peer, socket };
        let router = Router::new().fallback(visited).with_state(visit);
        let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
        // A client that has said all may close its side: `nc` does.
        http.http1()
            .half_close(true)
            .timer(TokioTimer::new())
            .header_read_timeout(HELLO)
            .keep_alive(false)
            .max_buf_size(MAX_HEAD);
        http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await
    }

    async fn answer(&self, request: Request<Body>, network: &str, peer: Ipv4Addr, socket: &OwnedFd) -> Response<Body> {
        let answered = match caller::of(&self.0.servers, network, peer) {
            Some(server) => self.answer_to(request, server, socket).await,
            None => Err(StatusCode::NOT_FOUND),
        };
        let response = answered.unwrap_or_else(|status| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        });
        self.0.metrics.metadata(response.status().as_u16());
        response
    }

    async fn answer_to(
        &self,
        request: Request<Body>,
        server: Server,
        socket: &OwnedFd,
    ) -> Result<Response<Body>, StatusCode> {
        let broken = |error: &dyn std::fmt::Display| {
            tracing::warn!(%error, server = server.metadata.name, namespace = server.metadata.namespace, "no metadata");
            StatusCode::INTERNAL_SERVER_ERROR
        };
        let guest = identify(&server).map_err(|e| broken(&e))?.guest;
        let uid = server.metadata.uid.clone().unwrap_or_default();
        let source = instance_data(&server).map_err(|failure| broken(&failure.message()))?;
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 4 * MAX_PASSWORD).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let (mut seed, mut nonce) = ([0; SEED_BYTES], [0; metadata::token::NONCE_LENGTH]);
        OsRng.try_fill_bytes(&mut seed).and_then(|()| OsRng.try_fill_bytes(&mut nonce)).map_err(|e| broken(&e))?;
        let file = PasswordFile { layout: self.0.layout.clone(), guest, uid: uid.clone() };
        let password = file.read().await.map_err(|e| broken(&e))?;
        let asked =
            metadata::Request { method: method(&parts.method), path: parts.uri.path(), headers: &headers, body: &body };
        let caller = Caller {
            uid: &uid,
            source: &source,
            options: server.spec.metadata_options.unwrap_or_default(),
            zone: &self.0.host.zone(),
            password: password.as_deref(),
            seed: &STANDARD.encode(seed),
            nonce,
        };
        let mut answer = metadata::answer(&asked, &caller, &self.0.sealer, Timestamp::now());
        if let Some(password) = answer.keep_password.take() {
            match file.write(password).await {
                Ok(()) => {}
                // Two at once: the first one stays.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(StatusCode::CONFLICT),
                Err(error) => return Err(broken(&error)),
            }
        }
        if let Some(hops) = answer.hop_limit {
            socket2::SockRef::from(socket).set_ttl_v4(hops).map_err(|e| broken(&e))?;
        }
        Ok(response(answer))
    }
}

fn method(method: &http::Method) -> Method {
    match *method {
        http::Method::GET => Method::Get,
        http::Method::HEAD => Method::Head,
        http::Method::PUT => Method::Put,
        http::Method::POST => Method::Post,
        _ => Method::Other,
    }
}

fn response(answer: metadata::Response) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    headers.insert(header::SERVER, HeaderValue::from_static("ostler"));
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// The password that a guest left, encrypted by itself; in its folder, so it goes with the guest.
struct PasswordFile {
    layout: Layout,
    guest: ostler_hypervisor::GuestId,
    uid: String,
}

impl PasswordFile {
    /// `None`: none was left, or the folder is not this Server's.
    async fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(path) = self.path()? else { return Ok(None) };
        match tokio::fs::read(path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, password: Vec<u8>) -> io::Result<()> {
        let path = self.path()?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let write = move || {
            let part = path.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
            fs::write(&part, password)?;
            fs::File::open(&part)?.sync_all()?;
            // A link, unlike a rename, never takes the place of what is there.
            let linked = fs::hard_link(&part, &path);
            fs::remove_file(&part)?;
            linked
        };
        tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
    }

    fn path(&self) -> io::Result<Option<PathBuf>> {
        let ours = whose(&self.layout, self.guest)? == Folder::Of(self.uid.clone());
        Ok(ours.then(|| self.layout.guest_password(self.guest)))
    }
}
