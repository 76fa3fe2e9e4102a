//! The config drive: a read-only raw `<disk>` on virtio-blk.
//!
//! Guests find it by its label `config-2`, not by its place. A SATA CD-ROM, which q35 would offer, is invisible to
//! kernels without `ahci` (Debian's cloud kernel), and a SCSI one costs a controller.

use std::path::Path;

use super::disk::{Disk, Driver, ReadOnly, Source, Target};
use crate::xml::{self, XmlError};

pub(super) fn disk(file: &Path) -> Result<Disk<'_>, XmlError> {
    Ok(Disk {
        kind: "file",
        device: "disk",
        driver: Driver { name: "qemu", format: "raw", cache: None, discard: None, detect_zeroes: None },
        source: Source { file: xml::path("config_drive", file)? },
        // The last name, so that volumes attached later are not counted around it.
        target: Target { dev: "vdz", bus: "virtio" },
        readonly: Some(ReadOnly {}),
        boot: None,
    })
}
