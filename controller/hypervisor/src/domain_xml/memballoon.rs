//! `<memballoon>`: gives the guest's free memory back to the host.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct MemBalloon {
    #[serde(rename = "@model")]
    model: &'static str,
    #[serde(rename = "@autodeflate")]
    autodeflate: &'static str,
    #[serde(rename = "@freePageReporting")]
    free_page_reporting: &'static str,
    stats: Stats,
}

#[derive(Serialize)]
struct Stats {
    #[serde(rename = "@period")]
    period: u32,
}

/// The guest reports pages it does not use; a balloon left inflated gives way before the guest runs out of memory.
/// Statistics every ten seconds.
pub(super) fn memballoon() -> MemBalloon {
    MemBalloon { model: "virtio", autodeflate: "on", free_page_reporting: "on", stats: Stats { period: 10 } }
}
