//! Flavor: a size that Servers may have.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rule::not_served;

/// A Flavor is a size that Servers may have (Nova's flavor). It cannot be changed in its size: make a new one instead.
/// Memory is in MiB and disks are in GiB, as in Nova.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "Flavor",
    plural = "flavors",
    shortname = "flv",
    category = "compute",
    derive = "PartialEq",
    doc = "A size that Servers may have: virtual processors, memory and disks.",
    printcolumn(name = "VCPUs", type_ = "integer", json_path = ".spec.vcpus"),
    printcolumn(name = "Memory MiB", type_ = "integer", json_path = ".spec.memoryMiB"),
    printcolumn(name = "Disk GiB", type_ = "integer", json_path = ".spec.diskGiB"),
    printcolumn(name = "Visibility", type_ = "string", json_path = ".spec.visibility", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = not_served("ephemeralGiB", "ephemeral disks are not made by this version; leave it out"),
    validation = not_served("swapMiB", "swap disks are not made by this version; leave it out"),
    validation = Rule::new("self.vcpus == oldSelf.vcpus && self.memoryMiB == oldSelf.memoryMiB && self.diskGiB == oldSelf.diskGiB")
        .message("the size of a Flavor cannot be changed, because Servers rely on it: make a new Flavor"),
    validation = Rule::new("self.visibility == 'Private' || !has(self.access)")
        .message("access is only for a Private Flavor")
        .field_path(".access")
)]
#[serde(rename_all = "camelCase")]
pub struct FlavorSpec {
    /// The name that OpenStack clients see; free text. Default: `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65535))]
    pub description: Option<String>,
    /// Number of virtual processors.
    #[schemars(range(min = 1, max = 1024))]
    pub vcpus: u32,
    /// Memory in MiB.
    #[serde(rename = "memoryMiB")]
    #[schemars(range(min = 16, max = 33554432))]
    pub memory_mib: u64,
    /// Size of the root disk in GiB. 0: as large as the image.
    #[serde(rename = "diskGiB", default)]
    #[schemars(range(max = 1048576))]
    pub disk_gib: u64,
    /// Size of the ephemeral disk in GiB. Not served yet.
    #[serde(rename = "ephemeralGiB", default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_gib: Option<u64>,
    /// Size of the swap disk in MiB. Not served yet.
    #[serde(rename = "swapMiB", default, skip_serializing_if = "Option::is_none")]
    pub swap_mib: Option<u64>,
    /// Extra specs, as Nova names them (`hw:cpu_policy`, …). Shown to clients; this version acts on none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 128, "additionalProperties" = {"type": "string", "maxLength": 255}))]
    pub extra_specs: BTreeMap<String, String>,
    /// Who may see and use it.
    #[serde(default)]
    pub visibility: FlavorVisibility,
    /// Namespaces (projects) that may use a Private flavor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), inner(length(max = 63)))]
    pub access: Option<Vec<String>>,
}

/// Who may see and use a Flavor.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlavorVisibility {
    /// Everybody.
    #[default]
    Public,
    /// The namespaces in `access`.
    Private,
}

impl Flavor {
    /// The name that OpenStack clients see.
    pub fn display_name(&self) -> &str {
        self.spec.display_name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// Whether Servers of `namespace` may use this flavor.
    pub fn usable_in(&self, namespace: &str) -> bool {
        match self.spec.visibility {
            FlavorVisibility::Public => true,
            FlavorVisibility::Private => self.spec.access.iter().flatten().any(|n| n == namespace),
        }
    }
}
