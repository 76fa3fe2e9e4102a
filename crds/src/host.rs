//! Host: a machine that runs guests, written by its node role.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::{DEFAULT_ZONE, ZONE_LABEL};

/// A Host is a machine that runs guests. Its node role makes it and writes its status; an admin may change the spec.
/// The name is that of the Kubernetes Node. Heartbeats are Leases, not status.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "Host",
    plural = "hosts",
    shortname = "hst",
    category = "compute",
    status = "HostStatus",
    derive = "PartialEq",
    doc = "A machine that runs guests; made by the node role, one per Kubernetes Node.",
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Schedulable", type_ = "boolean", json_path = ".spec.schedulable"),
    printcolumn(name = "Fenced", type_ = "boolean", json_path = ".spec.fenced", priority = 1),
    printcolumn(name = "Accelerator", type_ = "string", json_path = ".status.accelerator"),
    printcolumn(name = "VCPUs", type_ = "integer", json_path = ".status.capacity.vcpus"),
    printcolumn(name = "Memory MiB", type_ = "integer", json_path = ".status.capacity.memoryMiB"),
    printcolumn(name = "Disk GiB", type_ = "integer", json_path = ".status.capacity.diskGiB", priority = 1),
    printcolumn(name = "Libvirt", type_ = "string", json_path = ".status.libvirtVersion", priority = 1),
    printcolumn(name = "QEMU", type_ = "string", json_path = ".status.qemuVersion", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct HostSpec {
    /// Whether new guests may be placed here. Running guests are not touched. Default: true.
    #[serde(default = "yes")]
    pub schedulable: bool,
    /// The statement of an administrator (or of a fencer) that this machine is off and stays off. Set it only when that is
    /// certain: Servers of a silent, fenced Host may be evacuated. A fenced node role runs no guest; when the fence is
    /// lifted, the guests that moved away meanwhile are removed at its next start. Default: false.
    #[serde(default)]
    pub fenced: bool,
    /// Why it is not schedulable, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub disabled_reason: Option<String>,
    /// How many virtual processors are given out for each processor, in percent. Default: 400.
    #[serde(default = "cpu_percent")]
    #[schemars(range(min = 1, max = 10000))]
    pub cpu_overcommit_percent: u32,
    /// How much memory is given out, in percent of what there is. Default: 100.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub memory_overcommit_percent: u32,
    /// How much disk is given out, in percent of what there is. Default: 100.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 10000))]
    pub disk_overcommit_percent: u32,
    /// Memory that guests never get, in MiB. Default: 512.
    #[serde(rename = "reservedMemoryMiB", default = "reserved_memory")]
    pub reserved_memory_mib: u64,
    /// Availability zone. Default: the label `topology.kubernetes.io/zone`, else `nova`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub availability_zone: Option<String>,
}

fn yes() -> bool {
    true
}
fn cpu_percent() -> u32 {
    400
}
fn hundred() -> u32 {
    100
}
fn reserved_memory() -> u64 {
    512
}

/// Amounts of what guests use.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Processors.
    pub vcpus: u64,
    /// Memory in MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: u64,
    /// Disk in GiB.
    #[serde(rename = "diskGiB")]
    pub disk_gib: u64,
}

/// How a host runs its guests' code.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// Hardware virtualization that was proven to work.
    #[serde(rename = "kvm")]
    Kvm,
    /// QEMU's translator: slow, works everywhere.
    #[serde(rename = "tcg")]
    Tcg,
}

/// Where the node role serves its streams (console logs).
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct HostEndpoint {
    /// `https://ADDRESS:PORT`.
    pub url: String,
    /// PEM of the certificate that the node role presents; the only one that the shim accepts.
    pub ca_bundle: String,
}

/// The images that a machine keeps, so that a guest of the same image need not wait for its bytes.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ImageCacheUsage {
    /// How many there are.
    pub images: u64,
    /// What they take, in MiB.
    #[serde(rename = "usedMiB")]
    pub used_mib: u64,
    /// What they may take, in MiB. Those that guests need stay even above it.
    #[serde(rename = "limitMiB")]
    pub limit_mib: u64,
}

impl ImageCacheUsage {
    /// Disk that guests do not get, in MiB: what images may take, or what they do take where guests need more.
    pub fn kept_mib(self) -> u64 {
        self.used_mib.max(self.limit_mib)
    }
}

/// What the node role says of its machine.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct HostStatus {
    /// Generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What the machine has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Resources>,
    /// What its guests use, their QEMU included; refreshed at most once a minute. The scheduler does not rely on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Resources>,
    /// What its image cache takes of the disk. The scheduler gives that to no guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_cache: Option<ImageCacheUsage>,
    /// When the machine was booted, by its own clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booted_at: Option<Time>,
    /// How guests run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<Accelerator>,
    /// libvirt's version, `9.0.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libvirt_version: Option<String>,
    /// QEMU's version, `7.2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qemu_version: Option<String>,
    /// Where the shim asks for console logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<HostEndpoint>,
    /// Conditions: Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

impl Host {
    /// The availability zone: spec, else the zone label, else Nova's default.
    pub fn availability_zone(&self) -> &str {
        let label = self.metadata.labels.as_ref().and_then(|l| l.get(ZONE_LABEL)).map(String::as_str);
        self.spec.availability_zone.as_deref().or(label).unwrap_or(DEFAULT_ZONE)
    }
}
