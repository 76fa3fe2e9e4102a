//! `<cpu>`.

use serde::Serialize;

use super::DomainType;

#[derive(Serialize)]
pub(super) struct Cpu {
    #[serde(rename = "@mode")]
    mode: &'static str,
}

/// With KVM the host's model (it can move between alike hosts), with the translator all that it can do: QEMU's default
/// model lacks what today's distributions ask for (x86-64-v2).
pub(super) fn cpu(kind: DomainType) -> Cpu {
    let mode = match kind {
        DomainType::Kvm => "host-model",
        DomainType::Qemu | DomainType::Test => "maximum",
    };
    Cpu { mode }
}
