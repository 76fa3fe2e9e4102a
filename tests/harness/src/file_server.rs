//! A web server of static files on loopback, as a source of images.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::routing::get;

#[derive(Debug)]
struct Served {
    dir: PathBuf,
    requests: AtomicU64,
}

/// Serves the files of one folder, no subfolders, until it is dropped. Files are read for each request, so a test may
/// change or remove them meanwhile.
#[derive(Debug)]
pub struct FileServer {
    address: SocketAddr,
    served: Arc<Served>,
    task: tokio::task::JoinHandle<()>,
}

impl FileServer {
    /// Listens on a free port of 127.0.0.1, or of another address of this machine.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(dir: &Path, address: Option<SocketAddr>) -> Result<Self> {
        let listener =
            tokio::net::TcpListener::bind(address.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))).await?;
        let served = Arc::new(Served { dir: dir.to_owned(), requests: AtomicU64::new(0) });
        let address = listener.local_addr()?;
        let app = Router::new().route("/{name}", get(file)).with_state(Arc::clone(&served));
        let task = tokio::spawn(async move {
            // It ends only with the task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, served, task })
    }

    /// The URL of a file.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// How often it was asked.
    pub fn requests(&self) -> u64 {
        self.served.requests.load(Ordering::Relaxed)
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn file(State(served): State<Arc<Served>>, UrlPath(name): UrlPath<String>) -> Result<Bytes, StatusCode> {
    served.requests.fetch_add(1, Ordering::Relaxed);
    if name.contains('/') || name.starts_with('.') {
        return Err(StatusCode::BAD_REQUEST);
    }
    tokio::fs::read(served.dir.join(name)).await.map(Bytes::from).map_err(|_| StatusCode::NOT_FOUND)
}
