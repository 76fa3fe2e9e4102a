//! `<serial>` and `<console>`: the first serial port, a terminal that also goes to a file.
//!
//! The file is written by virtlogd, which bounds it (`max_size` and `max_backups` of virtlogd.conf), so a guest cannot
//! fill the host's disk. It is appended to, so the lines of earlier boots stay.

use std::path::Path;

use serde::Serialize;

use crate::xml::{self, XmlError};

#[derive(Serialize)]
pub(super) struct Serial<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    log: Log<'a>,
    target: Target,
}

#[derive(Serialize)]
pub(super) struct Console {
    #[serde(rename = "@type")]
    kind: &'static str,
    target: Target,
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "@file")]
    file: &'a str,
    #[serde(rename = "@append")]
    append: &'static str,
}

#[derive(Serialize)]
struct Target {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "@port")]
    port: u32,
}

pub(super) fn serial(log: &Path) -> Result<Serial<'_>, XmlError> {
    Ok(Serial {
        kind: "pty",
        log: Log { file: xml::path("console_log", log)?, append: "on" },
        target: Target { kind: "isa-serial", port: 0 },
    })
}

pub(super) fn console() -> Console {
    Console { kind: "pty", target: Target { kind: "serial", port: 0 } }
}
