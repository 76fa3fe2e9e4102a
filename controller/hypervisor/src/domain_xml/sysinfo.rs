//! `<sysinfo>`: what the firmware says of the machine.

use serde::Serialize;

use crate::definition::GuestId;

#[derive(Serialize)]
pub(super) struct SysInfo {
    #[serde(rename = "@type")]
    kind: &'static str,
    system: System,
}

#[derive(Serialize)]
struct System {
    entry: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(rename = "@name")]
    name: &'static str,
    #[serde(rename = "$text")]
    value: String,
}

/// cloud-init asks an OpenStack metadata service only where the product is `OpenStack Nova`; the serial number and the
/// UUID are the guest's id. libvirt demands that the UUID equals the domain's.
pub(super) fn openstack_nova(id: GuestId) -> SysInfo {
    let entry = |name, value: &str| Entry { name, value: value.to_owned() };
    let id = id.to_string();
    SysInfo {
        kind: "smbios",
        system: System {
            entry: vec![
                entry("manufacturer", "Ostler"),
                entry("product", "OpenStack Nova"),
                entry("serial", &id),
                entry("uuid", &id),
                entry("family", "Virtual Machine"),
            ],
        },
    }
}
