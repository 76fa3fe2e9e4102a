//! What a guest takes of its host.

use super::{ResolvedFlavor, ServerStatus};
use crate::host::Resources;

/// Memory that QEMU takes beside the guest's own, in MiB: measured 71 with translation and one interface, less with KVM.
pub const GUEST_OVERHEAD_MIB: u64 = 96;

const GIB: u64 = 1 << 30;

impl ResolvedFlavor {
    /// What a guest of this size takes, its QEMU included, with an image whose disk has `virtual_size` bytes.
    pub fn footprint(&self, virtual_size: u64) -> Resources {
        Resources {
            vcpus: self.vcpus.into(),
            memory_mib: self.memory_mib.saturating_add(GUEST_OVERHEAD_MIB),
            disk_gib: if self.disk_gib == 0 { virtual_size.div_ceil(GIB) } else { self.disk_gib },
        }
    }
}

impl ServerStatus {
    /// What the guest takes of its Host, running or not. Nothing before it is placed. While a resize is open it takes what a
    /// revert needs, too: the larger of both sizes, and both disks. While images of it are to be made it takes its disk once
    /// more: they are copied there one after the other.
    pub fn footprint(&self) -> Resources {
        let virtual_size = self.image.as_ref().map_or(0, |image| image.virtual_size);
        let of = |flavor: &ResolvedFlavor| flavor.footprint(virtual_size);
        let now = self.flavor.as_ref().map(of).unwrap_or_default();
        let copied = if self.snapshots.is_empty() { 0 } else { now.disk_gib };
        let before = self.resize.as_ref().map(|resize| of(&resize.from)).unwrap_or_default();
        Resources {
            vcpus: now.vcpus.max(before.vcpus),
            memory_mib: now.memory_mib.max(before.memory_mib),
            disk_gib: now.disk_gib.saturating_add(before.disk_gib).saturating_add(copied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_of_size_zero_is_as_large_as_the_image_and_qemu_is_counted() {
        let flavor = |disk_gib| ResolvedFlavor {
            name: "f".into(),
            id: "f".into(),
            display_name: "f".into(),
            vcpus: 2,
            memory_mib: 128,
            disk_gib,
            extra_specs: Default::default(),
        };
        let memory_mib = 128 + GUEST_OVERHEAD_MIB;
        assert_eq!(flavor(0).footprint(GIB + 1), Resources { vcpus: 2, memory_mib, disk_gib: 2 });
        assert_eq!(flavor(5).footprint(GIB + 1), Resources { vcpus: 2, memory_mib, disk_gib: 5 });
        assert_eq!(ServerStatus::default().footprint(), Resources::default());
        let order = crate::server::SnapshotOrder { image: "i".into(), uid: "u".into() };
        let status = ServerStatus { flavor: Some(flavor(5)), snapshots: vec![order], ..Default::default() };
        assert_eq!(status.footprint(), Resources { vcpus: 2, memory_mib, disk_gib: 10 });
        let from = ResolvedFlavor { memory_mib: 512, ..flavor(3) };
        let resize = Some(crate::server::OpenResize { from, after_action: None });
        let both = ServerStatus { flavor: Some(flavor(5)), resize, ..ServerStatus::default() }.footprint();
        assert_eq!(both, Resources { vcpus: 2, memory_mib: 512 + GUEST_OVERHEAD_MIB, disk_gib: 8 });
    }
}
