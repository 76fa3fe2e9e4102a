//! `<features>`.

use serde::Serialize;

use super::DomainType;

#[derive(Serialize)]
pub(super) struct Features {
    acpi: Empty,
    apic: Empty,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcg: Option<Tcg>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Tcg {
    #[serde(rename = "tb-cache")]
    tb_cache: TbCache,
}

#[derive(Serialize)]
struct TbCache {
    #[serde(rename = "@unit")]
    unit: &'static str,
    #[serde(rename = "$text")]
    amount: u64,
}

/// The translator's cache is bounded: unbounded it grows by 50 MiB a guest, at 8 MiB a boot takes four times as long.
const TRANSLATION_CACHE_MIB: u64 = 32;

pub(super) fn features(kind: DomainType) -> Features {
    let tcg = match kind {
        DomainType::Qemu => Some(Tcg { tb_cache: TbCache { unit: "MiB", amount: TRANSLATION_CACHE_MIB } }),
        DomainType::Kvm | DomainType::Test => None,
    };
    Features { acpi: Empty {}, apic: Empty {}, tcg }
}
