//! Flavor: a size that Servers may have.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{extra_spec, id::OpenStackId, names::ID_LABEL};

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
    validation = extra_spec::booleans(),
    validation = extra_spec::numbers(),
    validation = extra_spec::words(),
    validation = Rule::new("self.vcpus == oldSelf.vcpus && self.memoryMiB == oldSelf.memoryMiB && self.diskGiB == oldSelf.diskGiB && (has(self.ephemeralGiB) ? self.ephemeralGiB : 0) == (has(oldSelf.ephemeralGiB) ? oldSelf.ephemeralGiB : 0) && (has(self.swapMiB) ? self.swapMiB : 0) == (has(oldSelf.swapMiB) ? oldSelf.swapMiB : 0)")
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
    /// Size of the ephemeral disk in GiB. This version makes no such disk: a Server of a Flavor with one is refused.
    #[serde(rename = "ephemeralGiB", default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1048576))]
    pub ephemeral_gib: Option<u64>,
    /// Size of the swap disk in MiB. This version makes no such disk: a Server of a Flavor with one is refused.
    #[serde(rename = "swapMiB", default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 33554432))]
    pub swap_mib: Option<u64>,
    /// Nova's `rxtx_factor`. Default: 1. Shown to clients; this version acts on it in no way, as Nova without Xen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    pub rxtx_factor: Option<f64>,
    /// Extra specs, as Nova names them (`hw:cpu_policy`, …). A key that Nova knows must have a value that Nova takes.
    /// Shown to clients; this version acts on none.
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

    /// The id that OpenStack clients see: the label [`ID_LABEL`], which need not be a UUID here, else `metadata.uid`, else
    /// the name.
    pub fn openstack_id(&self) -> String {
        let label = self.metadata.labels.as_ref().and_then(|l| l.get(ID_LABEL)).filter(|l| !l.is_empty());
        let born = || OpenStackId::of(&self.metadata).map(|id| id.to_string()).ok();
        label.cloned().or_else(born).unwrap_or_else(|| self.display_name().to_owned())
    }

    /// Whether this version makes the disks that the flavor asks for.
    pub fn is_served(&self) -> bool {
        self.spec.ephemeral_gib.unwrap_or(0) == 0 && self.spec.swap_mib.unwrap_or(0) == 0
    }

    /// Whether Servers of `namespace` may use this flavor.
    pub fn usable_in(&self, namespace: &str) -> bool {
        match self.spec.visibility {
            FlavorVisibility::Public => true,
            FlavorVisibility::Private => self.spec.access.iter().flatten().any(|n| n == namespace),
        }
    }
}
