//! Which key a server's document has: from which version on, in which document, and for whom (clients.md, section 6). A key
//! that is not in the table is in no document.

use super::Document;
use crate::{http::Microversion, shape::Edit};

/// Who sees a key.
enum Seen {
    All,
    /// Who may see the hosts of guests.
    Admins,
    /// The same below 2.N, and everybody from there on.
    AdminsBelow(u16),
}

/// A key of the document.
pub struct Key {
    name: &'static str,
    since: u16,
    seen: Seen,
    /// First version of a list, an update's and a rebuild's answer that has it; 0: none ever.
    list: u16,
    update: u16,
    rebuild: u16,
    /// Whether shows and lists have it at all.
    shown: bool,
}

const fn key(name: &'static str) -> Key {
    Key { name, since: 1, seen: Seen::All, list: 1, update: 1, rebuild: 1, shown: true }
}

/// A key that answers to updates and rebuilds have from 2.75 on, when they became those of a show.
const fn late(name: &'static str) -> Key {
    Key { update: 75, rebuild: 75, ..key(name) }
}

impl Key {
    const fn since(self, since: u16) -> Self {
        Self { since, ..self }
    }

    const fn admins(self) -> Self {
        Self { seen: Seen::Admins, ..self }
    }

    const fn admins_below(self, version: u16) -> Self {
        Self { seen: Seen::AdminsBelow(version), ..self }
    }

    const fn unlisted(self) -> Self {
        Self { list: 0, ..self }
    }

    const fn rebuilt(self, rebuild: u16) -> Self {
        Self { rebuild, ..self }
    }

    const fn only_rebuilt(self, rebuild: u16) -> Self {
        Self { rebuild, update: 0, list: 0, shown: false, ..self }
    }

    /// Whether a document has it.
    fn is_in(&self, document: Document, version: Microversion, privileged: bool) -> bool {
        let from = |first: u16| first > 0 && version.0 >= first;
        let there = match document {
            Document::Show => self.shown,
            Document::Entry => from(self.list),
            Document::Update => from(self.update),
            Document::Rebuild => from(self.rebuild),
        };
        let may = match self.seen {
            Seen::All => true,
            Seen::Admins => privileged,
            Seen::AdminsBelow(first) => privileged || version.0 >= first,
        };
        there && may && version.0 >= self.since
    }
}

/// The table.
const KEYS: &[Key] = &[
    key("id"),
    key("name"),
    key("status"),
    key("tenant_id"),
    key("user_id"),
    key("metadata"),
    key("hostId"),
    key("image"),
    key("flavor"),
    key("created"),
    key("updated"),
    key("addresses"),
    key("accessIPv4"),
    key("accessIPv6"),
    key("links"),
    key("progress"),
    key("fault"),
    key("OS-DCF:diskConfig"),
    late("OS-EXT-AZ:availability_zone"),
    late("OS-EXT-STS:task_state"),
    late("OS-EXT-STS:vm_state"),
    late("OS-EXT-STS:power_state"),
    late("OS-SRV-USG:launched_at"),
    late("OS-SRV-USG:terminated_at"),
    late("os-extended-volumes:volumes_attached"),
    late("config_drive"),
    late("security_groups"),
    late("key_name").rebuilt(54),
    key("user_data").only_rebuilt(57),
    late("OS-EXT-SRV-ATTR:host").admins(),
    late("OS-EXT-SRV-ATTR:hypervisor_hostname").admins(),
    late("OS-EXT-SRV-ATTR:instance_name").admins(),
    late("OS-EXT-SRV-ATTR:reservation_id").admins().since(3),
    late("OS-EXT-SRV-ATTR:launch_index").admins().since(3),
    late("OS-EXT-SRV-ATTR:kernel_id").admins().since(3),
    late("OS-EXT-SRV-ATTR:ramdisk_id").admins().since(3),
    late("OS-EXT-SRV-ATTR:root_device_name").admins().since(3),
    late("OS-EXT-SRV-ATTR:user_data").admins().since(3).rebuilt(0),
    late("OS-EXT-SRV-ATTR:hostname").admins_below(90).since(3),
    key("locked").since(9),
    late("host_status").admins().since(16),
    key("description").since(19),
    key("tags").since(26),
    key("trusted_image_certificates").since(63),
    key("server_groups").since(71).unlisted(),
    key("locked_reason").since(73),
    key("pinned_availability_zone").since(96),
];

/// What changed within keys.
pub const INNER: &[Edit] = &[
    Edit::removed(47, "flavor/id"),
    Edit::removed(47, "flavor/links"),
    Edit::added(47, "flavor/vcpus"),
    Edit::added(47, "flavor/ram"),
    Edit::added(47, "flavor/disk"),
    Edit::added(47, "flavor/ephemeral"),
    Edit::added(47, "flavor/swap"),
    Edit::added(47, "flavor/original_name"),
    Edit::added(47, "flavor/extra_specs"),
];

/// The same, in answers to updates and rebuilds.
pub const INNER_OF_CHANGES: &[Edit] =
    &[Edit::added(75, "addresses/*/*/OS-EXT-IPS:type"), Edit::added(75, "addresses/*/*/OS-EXT-IPS-MAC:mac_addr")];

/// Leaves the keys that a document has.
pub fn cut(map: &mut serde_json::Map<String, serde_json::Value>, kind: Document, at: Microversion, privileged: bool) {
    map.retain(|name, _| KEYS.iter().any(|k| k.name == name && k.is_in(kind, at, privileged)));
}
