//! The program nft, in the network namespace of the bridges.

use std::{
    fs,
    io::{self, Write},
    process::{Command, Stdio},
};

use ostler_hypervisor::port_rules::{PortRules, TABLE, render, revision};

use super::super::network_namespace::NetworkNamespace;

/// Whether frames between guests on one bridge come to our table; there with the module br_netfilter.
const BRIDGED: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// Has exactly these rules, at once.
pub async fn put(namespace: &NetworkNamespace, rules: &PortRules) -> io::Result<()> {
    let text = render(rules).map_err(io::Error::other)?;
    let (namespace, needed) = (namespace.clone(), !rules.is_empty());
    blocking(move || {
        namespace.run(|| {
            if needed && fs::read_to_string(BRIDGED).unwrap_or_default().trim() != "1" {
                let message = format!("{BRIDGED} is not 1, so the host cannot filter what passes between its guests");
                return Err(io::Error::other(message));
            }
            nft(&["-f", "-"], &text)
        })
    })
    .await
}

/// Whether the kernel has these rules.
pub async fn has(namespace: &NetworkNamespace, rules: &PortRules) -> bool {
    let Ok(Some(chain)) = revision(rules) else { return true };
    let namespace = namespace.clone();
    blocking(move || namespace.run(|| nft(&["list", "chain", "inet", TABLE, &chain], ""))).await.is_ok()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn nft(arguments: &[&str], input: &str) -> io::Result<()> {
    let spawned =
        Command::new("nft").args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|e| io::Error::new(e.kind(), format!("the program nft: {e}")))?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    let ended = child.wait_with_output()?;
    if ended.status.success() {
        return written;
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    Err(io::Error::other(format!("nft: {}", said.lines().next().unwrap_or("failed"))))
}
