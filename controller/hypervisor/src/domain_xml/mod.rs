//! A domain as libvirt's XML, from typed structs: one small file a device.
//!
//! ```text
//!   DomainDefinition ── render ──► <domain> ── libvirt ──► <domain> ── read ──► ReadDomain
//! ```
//!
//! Format: <https://libvirt.org/formatdomain.html>, as of libvirt 9.0. The machine is always x86-64 q35.

mod channel;
mod clock;
mod config_drive;
mod console;
mod controller;
mod cpu;
mod disk;
mod features;
mod interface;
mod memballoon;
mod metadata;
mod os;
mod read;
mod rng;
mod sysinfo;
#[cfg(test)]
mod tests;
mod video;

use serde::Serialize;

pub use self::read::{ReadDomain, read};
use self::{
    channel::Channel, clock::Clock, console::Console, console::Serial, controller::Controller, cpu::Cpu, disk::Disk,
    features::Features, interface::Interface, memballoon::MemBalloon, metadata::Metadata, os::Os, rng::Rng,
    sysinfo::SysInfo, video::Video,
};
use crate::{
    definition::DomainDefinition,
    xml::{self, XmlError},
};
use ostler_crds::host::Accelerator;

/// libvirt's name for what runs a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainType {
    /// QEMU with hardware virtualization.
    Kvm,
    /// QEMU's translator (TCG).
    Qemu,
    /// libvirt's own test driver, which takes no other type.
    Test,
}

impl DomainType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Qemu => "qemu",
            Self::Test => "test",
        }
    }
}

impl From<Accelerator> for DomainType {
    fn from(accelerator: Accelerator) -> Self {
        match accelerator {
            Accelerator::Kvm => Self::Kvm,
            Accelerator::Tcg => Self::Qemu,
        }
    }
}

#[derive(Serialize)]
#[serde(rename = "domain")]
struct Domain<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    name: String,
    uuid: String,
    metadata: Metadata<'a>,
    memory: Memory,
    vcpu: Vcpu,
    os: Os,
    sysinfo: SysInfo,
    features: Features,
    cpu: Cpu,
    clock: Clock,
    on_poweroff: &'static str,
    on_reboot: &'static str,
    on_crash: &'static str,
    devices: Devices<'a>,
}

#[derive(Serialize)]
struct Memory {
    #[serde(rename = "@unit")]
    unit: &'static str,
    #[serde(rename = "$text")]
    amount: u64,
}

#[derive(Serialize)]
struct Vcpu {
    #[serde(rename = "@placement")]
    placement: &'static str,
    #[serde(rename = "$text")]
    count: u32,
}

#[derive(Serialize)]
struct Devices<'a> {
    disk: Vec<Disk<'a>>,
    controller: Vec<Controller>,
    interface: Vec<Interface<'a>>,
    serial: Serial<'a>,
    console: Console,
    channel: Channel,
    video: Video,
    memballoon: MemBalloon,
    rng: Rng,
}

/// The domain as XML for `virDomainDefineXML`.
///
/// Fails when a text or path of the definition cannot be carried by XML; Kubernetes names always can.
pub fn render(definition: &DomainDefinition, kind: DomainType) -> Result<String, XmlError> {
    let mut disks = vec![disk::root(&definition.root_disk)?];
    if let Some(second) = &definition.second_disk {
        disks.push(disk::second(second)?);
    }
    if let Some(drive) = &definition.config_drive {
        disks.push(config_drive::disk(drive)?);
    }
    let interfaces = definition.nics.iter().map(interface::interface).collect::<Result<Vec<_>, _>>()?;
    xml::write(&Domain {
        kind: kind.as_str(),
        name: definition.id.domain_name(),
        uuid: definition.id.to_string(),
        metadata: Metadata::new(&definition.owner)?,
        memory: Memory { unit: "MiB", amount: definition.memory_mib },
        vcpu: Vcpu { placement: "static", count: definition.vcpus },
        os: os::os(),
        sysinfo: sysinfo::openstack_nova(definition.id),
        features: features::features(kind),
        cpu: cpu::cpu(kind),
        clock: clock::clock(),
        on_poweroff: "destroy",
        on_reboot: "restart",
        on_crash: "destroy",
        devices: Devices {
            controller: controller::controllers(disks.len(), interfaces.len()),
            disk: disks,
            interface: interfaces,
            serial: console::serial(&definition.console_log)?,
            console: console::console(),
            channel: channel::guest_agent(),
            video: video::none(),
            memballoon: memballoon::memballoon(),
            rng: rng::rng(),
        },
    })
}
