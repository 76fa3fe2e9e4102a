//! `<channel>`: the way to QEMU's guest agent.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Channel {
    #[serde(rename = "@type")]
    kind: &'static str,
    target: Target,
}

#[derive(Serialize)]
struct Target {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "@name")]
    name: &'static str,
}

/// libvirt chooses the socket's path.
pub(super) fn guest_agent() -> Channel {
    Channel { kind: "unix", target: Target { kind: "virtio", name: "org.qemu.guest_agent.0" } }
}
