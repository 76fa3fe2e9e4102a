//! `<disk>`: a file on virtio-blk.

use std::path::Path;

use serde::Serialize;

use crate::xml::{self, XmlError};

#[derive(Serialize)]
pub(super) struct Disk<'a> {
    #[serde(rename = "@type")]
    pub(super) kind: &'static str,
    #[serde(rename = "@device")]
    pub(super) device: &'static str,
    pub(super) driver: Driver,
    pub(super) source: Source<'a>,
    pub(super) target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readonly: Option<ReadOnly>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boot: Option<Boot>,
}

#[derive(Serialize)]
pub(super) struct Driver {
    #[serde(rename = "@name")]
    pub(super) name: &'static str,
    /// Never left to libvirt or QEMU to find out: a guest could write another format's header into its disk and so have
    /// the host open any file as its backing file.
    #[serde(rename = "@type")]
    pub(super) format: &'static str,
    #[serde(rename = "@cache", skip_serializing_if = "Option::is_none")]
    pub(super) cache: Option<&'static str>,
    #[serde(rename = "@discard", skip_serializing_if = "Option::is_none")]
    pub(super) discard: Option<&'static str>,
    #[serde(rename = "@detect_zeroes", skip_serializing_if = "Option::is_none")]
    pub(super) detect_zeroes: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Source<'a> {
    #[serde(rename = "@file")]
    pub(super) file: &'a str,
}

#[derive(Serialize)]
pub(super) struct Target {
    #[serde(rename = "@dev")]
    pub(super) dev: &'static str,
    #[serde(rename = "@bus")]
    pub(super) bus: &'static str,
}

#[derive(Serialize)]
pub(super) struct ReadOnly {}

#[derive(Serialize)]
pub(super) struct Boot {
    #[serde(rename = "@order")]
    pub(super) order: u32,
}

/// The root disk's name in the guest.
pub(super) const ROOT: &str = "vda";

/// The root disk: qcow2, booted from. `writeback` honours the guest's flushes and shares the base image's pages between
/// guests; freed and zeroed blocks go back to the host.
///
/// The chain behind it is not repeated here: libvirt takes it from the overlay's header, which names the base's format
/// (an overlay that does not is refused by libvirt, not probed).
pub(super) fn root(file: &Path) -> Result<Disk<'_>, XmlError> {
    qcow2("root_disk", file, ROOT, Some(Boot { order: 1 }))
}

/// A second disk like the root disk, never booted from.
pub(super) fn second(file: &Path) -> Result<Disk<'_>, XmlError> {
    qcow2("second_disk", file, "vdb", None)
}

fn qcow2<'a>(field: &'static str, file: &'a Path, dev: &'static str, boot: Option<Boot>) -> Result<Disk<'a>, XmlError> {
    Ok(Disk {
        kind: "file",
        device: "disk",
        driver: Driver {
            name: "qemu",
            format: "qcow2",
            cache: Some("writeback"),
            discard: Some("unmap"),
            detect_zeroes: Some("unmap"),
        },
        source: Source { file: xml::path(field, file)? },
        target: Target { dev, bus: "virtio" },
        readonly: None,
        boot,
    })
}
