//! Bounds what connections cost: only so many at once, and none that stands still in both directions.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};

/// Connections of one listener at once; further ones wait in the kernel.
const AT_ONCE: usize = 2048;
/// How long a connection may stand still. Longer than any answer takes to begin, and than clients keep one for reuse.
const PATIENCE: Duration = Duration::from_secs(120);

/// A listener with bounds.
pub struct Bounded<L> {
    listener: L,
    slots: Arc<Semaphore>,
}

impl<L> Bounded<L> {
    /// Bounds a listener.
    pub fn new(listener: L) -> Self {
        Self { listener, slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl<L: Listener> Listener for Bounded<L> {
    type Io = Connection<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // Nobody closes the semaphore; without a slot the connection is merely not counted.
        let slot = self.slots.clone().acquire_owned().await.ok();
        let (io, addr) = self.listener.accept().await;
        (Connection::new(io, PATIENCE, slot), addr)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// The address of a client.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl<L: Listener<Addr = SocketAddr>> Connected<IncomingStream<'_, Bounded<L>>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded<L>>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection that fails when it has stood still for too long.
pub struct Connection<I> {
    io: I,
    patience: Duration,
    end: Pin<Box<Sleep>>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl<I> Connection<I> {
    fn new(io: I, patience: Duration, slot: Option<OwnedSemaphorePermit>) -> Self {
        Self { io, patience, end: Box::pin(tokio::time::sleep(patience)), _slot: slot }
    }

    fn moved(&mut self) {
        let end = Instant::now() + self.patience;
        self.end.as_mut().reset(end);
    }

    /// Ready with an error when the time is up.
    fn poll_end<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.end.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Connection<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if read.is_pending() {
            return self.poll_end(cx);
        }
        self.moved();
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Connection<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if written.is_pending() {
            return self.poll_end(cx);
        }
        self.moved();
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        if flushed.is_pending() { self.poll_end(cx) } else { flushed }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(cx);
        if shut.is_pending() { self.poll_end(cx) } else { shut }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        if written.is_pending() {
            return self.poll_end(cx);
        }
        self.moved();
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_moves_in_one_direction_stays_and_one_that_stands_still_ends() {
        let (mut client, server) = duplex(4);
        let mut server = Connection::new(server, Duration::from_secs(10), None);
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(8)).await;
            client.write_all(b"x").await.unwrap();
            assert_eq!(server.read_u8().await.unwrap(), b'x');
        }
        // Nobody reads what is written.
        assert_eq!(server.write_all(b"much more than fits").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
