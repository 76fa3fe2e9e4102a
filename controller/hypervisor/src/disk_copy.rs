//! Copies of running guests' disks, made by the hypervisor itself: the guest runs on, and the copy holds the disk as it was
//! at the moment of the beginning. The bytes are written by QEMU, so a copy goes on when nobody looks.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{
    GuestId,
    xml::{self, Element, XmlError},
};

/// A copy of one disk of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskCopy {
    /// The guest.
    pub guest: GuestId,
    /// The disk's file; the guest has it plugged in.
    pub disk: PathBuf,
    /// The file to write: a qcow2 image that stands alone. It must not be there.
    pub to: PathBuf,
}

/// Where the copy of a guest's disk stands. There is at most one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyState {
    /// None is under way, and nothing is known of an earlier one: it was never begun, or libvirtd was started anew since.
    Unknown,
    /// It is under way.
    Running,
    /// The last one is whole.
    Done,
    /// The last one broke off; what the hypervisor says of it.
    Failed(String),
}

/// `<domainbackup>` for libvirt. `domain` is the running domain's XML: it tells which device the disk is.
pub fn backup_xml(domain: &str, copy: &DiskCopy) -> Result<String, XmlError> {
    let wanted = xml::path("disk", &copy.disk)?;
    let domain = Element::parse(domain)?;
    let disks = domain.child("devices").into_iter().flat_map(|devices| devices.children("disk"));
    let mut found = false;
    let mut all = Vec::new();
    for disk in disks {
        let Some(device) = disk.child("target").and_then(|t| t.attribute("dev")) else { continue };
        let is_it = disk.child("source").and_then(|s| s.attribute("file")) == Some(wanted);
        found |= is_it;
        all.push(if is_it { wanted_disk(device, &copy.to)? } else { other_disk(device) });
    }
    if !found {
        return Err(XmlError::Read("the domain does not have the disk that is to be copied".to_owned()));
    }
    xml::write(&Backup { mode: "push", disks: Disks { disk: all } })
}

fn wanted_disk<'a>(device: &str, to: &'a Path) -> Result<Disk<'a>, XmlError> {
    Ok(Disk {
        name: device.to_owned(),
        backup: "yes",
        kind: Some("file"),
        driver: Some(Driver { format: "qcow2" }),
        target: Some(Target { file: xml::path("to", to)? }),
    })
}

fn other_disk(device: &str) -> Disk<'static> {
    Disk { name: device.to_owned(), backup: "no", kind: None, driver: None, target: None }
}

#[derive(Serialize)]
#[serde(rename = "domainbackup")]
struct Backup<'a> {
    #[serde(rename = "@mode")]
    mode: &'static str,
    disks: Disks<'a>,
}

#[derive(Serialize)]
struct Disks<'a> {
    disk: Vec<Disk<'a>>,
}

#[derive(Serialize)]
struct Disk<'a> {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@backup")]
    backup: &'static str,
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<Driver>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target<'a>>,
}

#[derive(Serialize)]
struct Driver {
    #[serde(rename = "@type")]
    format: &'static str,
}

#[derive(Serialize)]
struct Target<'a> {
    #[serde(rename = "@file")]
    file: &'a str,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const DOMAIN: &str = "<domain><devices>
        <disk type='file' device='disk'><source file='/g/rescue.qcow2'/><target dev='vda'/></disk>
        <disk type='file' device='disk'><source file='/g/root.qcow2' index='1'/><target dev='vdb'/></disk>
        <disk type='file' device='cdrom'><source file='/g/config.iso'/><target dev='sda'/></disk>
        </devices></domain>";

    fn copy(disk: &str) -> DiskCopy {
        DiskCopy { guest: GuestId(Uuid::from_u128(1)), disk: disk.into(), to: "/g/a&b.qcow2".into() }
    }

    #[test]
    fn one_disk_is_copied_whichever_device_it_is_and_the_others_are_not() {
        let xml = backup_xml(DOMAIN, &copy("/g/root.qcow2")).unwrap();
        insta::assert_snapshot!(xml, @r#"
        <domainbackup mode="push">
          <disks>
            <disk name="vda" backup="no"/>
            <disk name="vdb" backup="yes" type="file">
              <driver type="qcow2"/>
              <target file="/g/a&amp;b.qcow2"/>
            </disk>
            <disk name="sda" backup="no"/>
          </disks>
        </domainbackup>
        "#);
    }

    #[test]
    fn a_disk_that_is_not_plugged_in_is_not_copied() {
        assert!(backup_xml(DOMAIN, &copy("/g/other.qcow2")).is_err());
    }
}
