//! A listener of one bridge: at the metadata service's address, for nobody but the bridge's guests.

use std::{
    io,
    net::{IpAddr, SocketAddr, SocketAddrV4, TcpListener as StdListener},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use ostler_hypervisor::nwfilter_xml::METADATA_ADDRESS;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::TcpListener, time::timeout};

use super::{
    super::{console::strangers::Strangers, network_namespace::NetworkNamespace},
    serve::Answers,
};

const PORT: u16 = 80;
const BACKLOG: i32 = 128;
/// How long a connection may take from its first byte to its last.
const DEADLINE: Duration = Duration::from_secs(10);

/// The device that has this name now.
pub fn device(namespace: &NetworkNamespace, bridge: &str) -> io::Result<NonZeroU32> {
    let index = namespace.run(|| {
        let socket = rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)?;
        Ok(rustix::net::netdevice::name_to_index(socket, bridge)?)
    })?;
    NonZeroU32::new(index).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
}

/// Listens on the bridge. The address is no interface's, so it takes a transparent socket, also to answer from it.
pub fn bind(namespace: &NetworkNamespace, bridge: &str) -> io::Result<TcpListener> {
    let listener: StdListener = namespace.run(|| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.bind_device(Some(bridge.as_bytes()))?;
        socket.set_ip_transparent_v4(true)?;
        socket.bind(&SocketAddr::from(SocketAddrV4::new(METADATA_ADDRESS, PORT)).into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    })?;
    TcpListener::from_std(listener)
}

/// Serves the guests of `network` until it is dropped.
pub async fn run(listener: TcpListener, network: String, answers: Answers) {
    let (network, guests) = (Arc::<str>::from(network), Strangers::default());
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok((stream, SocketAddr::V4(peer))) => (stream, *peer.ip()),
            Ok((_, SocketAddr::V6(_))) => continue,
            Err(error) => {
                // Out of file descriptors, most likely: give the others time to end.
                tracing::warn!(%error, "cannot accept a guest's connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = guests.admit(IpAddr::V4(peer)) else {
            answers.turned_away();
            continue;
        };
        let (answers, network) = (answers.clone(), Arc::clone(&network));
        tokio::spawn(async move {
            match timeout(DEADLINE, answers.serve(stream, &network, peer)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(error, "a guest's connection ended early"),
                Err(_) => tracing::debug!("a guest's connection took too long"),
            }
            drop(place);
        });
    }
}
