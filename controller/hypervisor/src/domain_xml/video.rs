//! `<video>`: none. Guests have a serial console; libvirt would add a card of its own if nothing were said.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Video {
    model: Model,
}

#[derive(Serialize)]
struct Model {
    #[serde(rename = "@type")]
    kind: &'static str,
}

pub(super) fn none() -> Video {
    Video { model: Model { kind: "none" } }
}
