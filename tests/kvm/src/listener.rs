//! Web servers of one page in the node's network, as targets for guests.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use anyhow::Result;
use ostler_test_harness::network_namespace::in_network_namespace;

/// Serves one page to all who come to `address` in the network namespace, until the test's process ends.
///
/// # Errors
/// It cannot listen there.
pub fn serve(namespace: &Path, address: &str) -> Result<()> {
    let listener = in_network_namespace(namespace, || Ok(TcpListener::bind(address)?))?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that goes away in the middle is no matter of ours.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nserved\n");
        }
    });
    Ok(())
}
