//! `<rng>`: the host's random numbers, so that a guest's first boot does not wait for its own.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Rng {
    #[serde(rename = "@model")]
    model: &'static str,
    backend: Backend,
}

#[derive(Serialize)]
struct Backend {
    #[serde(rename = "@model")]
    model: &'static str,
    #[serde(rename = "$text")]
    source: &'static str,
}

pub(super) fn rng() -> Rng {
    Rng { model: "virtio", backend: Backend { model: "random", source: "/dev/urandom" } }
}
