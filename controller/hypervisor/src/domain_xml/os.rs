//! `<os>`: the machine and its firmware.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Os {
    #[serde(rename = "type")]
    kind: Type,
    smbios: Smbios,
}

#[derive(Serialize)]
struct Type {
    #[serde(rename = "@arch")]
    arch: &'static str,
    #[serde(rename = "@machine")]
    machine: &'static str,
    #[serde(rename = "$text")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Smbios {
    #[serde(rename = "@mode")]
    mode: &'static str,
}

/// q35 with SeaBIOS. libvirt pins the machine's exact version when the domain is defined.
pub(super) fn os() -> Os {
    Os { kind: Type { arch: "x86_64", machine: "q35", kind: "hvm" }, smbios: Smbios { mode: "sysinfo" } }
}
