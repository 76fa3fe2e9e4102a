//! `<clock>`: as Nova sets it.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Clock {
    #[serde(rename = "@offset")]
    offset: &'static str,
    timer: Vec<Timer>,
}

#[derive(Serialize)]
struct Timer {
    #[serde(rename = "@name")]
    name: &'static str,
    #[serde(rename = "@tickpolicy", skip_serializing_if = "Option::is_none")]
    tickpolicy: Option<&'static str>,
    #[serde(rename = "@present", skip_serializing_if = "Option::is_none")]
    present: Option<&'static str>,
}

/// UTC; ticks that a busy host missed are made up for; no HPET, whose emulation costs more than it gives.
pub(super) fn clock() -> Clock {
    Clock {
        offset: "utc",
        timer: vec![
            Timer { name: "pit", tickpolicy: Some("delay"), present: None },
            Timer { name: "rtc", tickpolicy: Some("catchup"), present: None },
            Timer { name: "hpet", tickpolicy: None, present: Some("no") },
        ],
    }
}
