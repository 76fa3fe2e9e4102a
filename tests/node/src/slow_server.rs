//! A web server that can be made slow, to catch a download in the middle.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves one file whatever is asked for, until it is dropped.
#[derive(Debug)]
pub struct SlowServer {
    address: SocketAddr,
    slow: Arc<AtomicBool>,
    cut: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl SlowServer {
    /// Listens on loopback.
    ///
    /// # Errors
    /// The file cannot be read, or there is no port.
    pub async fn start(file: &Path) -> Result<Self> {
        let bytes = Arc::new(std::fs::read(file)?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (slow, cut) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (told, told_cut) = (Arc::clone(&slow), Arc::clone(&cut));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that goes away in the middle is what tests are about.
                tokio::spawn(answer(stream, Arc::clone(&bytes), Arc::clone(&told), Arc::clone(&told_cut)));
            }
        });
        Ok(Self { address, slow, cut, task })
    }

    /// The URL of the file.
    pub fn url(&self) -> String {
        format!("http://{}/image", self.address)
    }

    /// Whether it sends 64 KiB ten times a second, or all at once. Holds for answers under way, too.
    pub fn set_slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::Relaxed);
    }

    /// Whether it closes the connection in the middle.
    pub fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }
}

impl Drop for SlowServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    bytes: Arc<Vec<u8>>,
    slow: Arc<AtomicBool>,
    cut: Arc<AtomicBool>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
    stream.write_all(head.as_bytes()).await?;
    let pieces = bytes.len().div_ceil(64 << 10);
    for (n, chunk) in bytes.chunks(64 << 10).enumerate() {
        if n > pieces / 2 && cut.load(Ordering::Relaxed) {
            return Ok(());
        }
        if slow.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stream.write_all(chunk).await?;
    }
    stream.shutdown().await
}
