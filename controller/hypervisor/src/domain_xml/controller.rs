//! `<controller>`: the PCI Express ports, and no USB.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Controller {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "@index")]
    index: usize,
    #[serde(rename = "@model", skip_serializing_if = "Option::is_none")]
    model: Option<&'static str>,
}

/// Ports left free for disks and interfaces that are plugged in while the guest runs.
const SPARE_PORTS: usize = 8;
/// Devices that every guest has on a port of its own: guest agent's channel, balloon, random numbers.
const FIXED_DEVICES: usize = 3;

/// One root port a device: q35 can plug and unplug only behind a root port, and only one device behind each.
pub(super) fn controllers(disks: usize, interfaces: usize) -> Vec<Controller> {
    let ports = FIXED_DEVICES + disks + interfaces + SPARE_PORTS;
    let mut controllers = vec![
        Controller { kind: "usb", index: 0, model: Some("none") },
        Controller { kind: "virtio-serial", index: 0, model: None },
        Controller { kind: "pci", index: 0, model: Some("pcie-root") },
    ];
    controllers.extend((1..=ports).map(|index| Controller { kind: "pci", index, model: Some("pcie-root-port") }));
    controllers
}
