//! Image: bytes that a guest's root disk starts from.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    condition::find_condition,
    names::{condition, reason},
    rule::not_served,
};

/// An Image is what a guest's root disk starts from. Its bytes come from a URL with a digest, are uploaded through the
/// OpenStack image API, or are copied from a Server's disk. They are inspected before use: an image that names another
/// file is refused.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "Image",
    plural = "images",
    shortname = "vmi",
    category = "compute",
    namespaced,
    status = "ImageStatus",
    derive = "PartialEq",
    doc = "What a guest's root disk starts from.",
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Format", type_ = "string", json_path = ".spec.diskFormat"),
    printcolumn(name = "Size", type_ = "integer", json_path = ".status.size", description = "bytes"),
    printcolumn(name = "Visibility", type_ = "string", json_path = ".spec.visibility"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "SHA256", type_ = "string", json_path = ".status.sha256", priority = 1),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("self.source == oldSelf.source && self.diskFormat == oldSelf.diskFormat")
        .message("source and diskFormat of an Image cannot be changed: make a new Image"),
    validation = Rule::new("!has(self.source.server) || self.diskFormat == 'qcow2'")
        .message("diskFormat of an image of a Server must be qcow2").field_path(".diskFormat"),
    validation = Rule::new("self.visibility == 'Shared' || !has(self.members)")
        .message("members is only for a Shared Image").field_path(".members"),
    validation = Rule::new("!has(self.source.http) || self.diskFormat in ['raw', 'qcow2']")
        .message("bytes from a URL must be raw or qcow2: nothing else can boot").field_path(".diskFormat")
)]
#[serde(rename_all = "camelCase")]
pub struct ImageSpec {
    /// The name that OpenStack clients see. Default: `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub display_name: Option<String>,
    /// Where the bytes come from.
    pub source: ImageSource,
    /// Format of the bytes.
    pub disk_format: DiskFormat,
    /// Glance's container format; only `bare` can boot.
    #[serde(default = "bare")]
    #[schemars(length(max = 32))]
    pub container_format: String,
    /// Smallest root disk that it can be used with, in GiB.
    #[serde(rename = "minDiskGiB", default)]
    pub min_disk_gib: u64,
    /// Least memory that it needs, in MiB.
    #[serde(rename = "minMemoryMiB", default)]
    pub min_memory_mib: u64,
    /// Properties as Glance keeps them (`os_distro`, `hw_disk_bus`, …). Shown to clients; this version acts on none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 128, "additionalProperties" = {"type": "string", "maxLength": 65535}))]
    pub properties: BTreeMap<String, String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), inner(length(max = 255)))]
    pub tags: Vec<String>,
    /// Whether the OpenStack front refuses to delete it.
    #[serde(default)]
    pub protected: bool,
    /// Whether the OpenStack front leaves it out of lists unless asked.
    #[serde(default)]
    pub hidden: bool,
    /// Who may see and use it.
    #[serde(default)]
    pub visibility: ImageVisibility,
    /// Namespaces (projects) that may use a Shared image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128), inner(length(max = 63)))]
    pub members: Option<Vec<String>>,
    /// What members of a Shared image said to it; the others have not answered. Set by the members through the OpenStack
    /// front. An image that a namespace has not accepted may be used there and is not in its lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 128))]
    pub member_status: BTreeMap<String, MemberStatus>,
    /// Whether nobody may use it for now: no downloads, no new guests. Guests that have it go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deactivated: bool,
}

/// What a member of a Shared image said to it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberStatus {
    /// It wants it in its lists.
    Accepted,
    /// It does not want to see it.
    Rejected,
}

fn bare() -> String {
    "bare".to_owned()
}

/// Where an Image's bytes come from: exactly one of the fields.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = not_served("oci", "use http with a digest, or upload"),
    validation = Rule::new("(has(self.http) ? 1 : 0) + (has(self.upload) ? 1 : 0) + (has(self.oci) ? 1 : 0) + (has(self.server) ? 1 : 0) == 1")
        .message("source must have exactly one of http, upload, oci, server")
)]
#[serde(rename_all = "camelCase")]
pub struct ImageSource {
    /// Fetched from a web server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSource>,
    /// Uploaded through the OpenStack image API (`openstack image create --file`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadSource>,
    /// From an OCI registry. Not served yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciSource>,
    /// A copy of a Server's root disk, made once, when this Image is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSource>,
}

impl ImageSource {
    /// Whether the bytes are in the image folder of the OpenStack front, where hosts fetch them by digest.
    pub fn kept_by_front(&self) -> bool {
        self.upload.is_some() || self.server.is_some()
    }
}

/// Bytes from a web server.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("self.url.matches('^https?://[^/\\\\s@]+/\\\\S*$')")
        .message("url must be an absolute http or https URL without user information").field_path(".url"),
    validation = Rule::new("self.sha256.matches('^[0-9a-f]{64}$')")
        .message("sha256 must be 64 lower-case hexadecimal digits").field_path(".sha256")
)]
#[serde(rename_all = "camelCase")]
pub struct HttpSource {
    /// Absolute `http` or `https` URL.
    #[schemars(length(max = 2048))]
    pub url: String,
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits. Nothing else is accepted from the URL.
    #[schemars(length(max = 64))]
    pub sha256: String,
}

/// Bytes that a client uploads. No settings.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadSource {}

/// Bytes from an OCI registry.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OciSource {
    /// Reference with digest.
    #[schemars(length(max = 512))]
    pub reference: String,
}

/// A copy of a Server's root disk: of a running guest as it was at one moment, written to disk by the guest agent before
/// if there is one; of any other as it lies there.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServerSource {
    /// Name of the Server in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Format of an image's bytes.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum DiskFormat {
    /// Every byte as the guest sees it.
    Raw,
    /// QEMU's own; no backing file, no data file, no encryption.
    Qcow2,
    /// A CD. Kept, cannot boot.
    Iso,
    /// Amazon's disk. Kept, cannot boot.
    Ami,
    /// Amazon's RAM disk. Kept, cannot boot.
    Ari,
    /// Amazon's kernel. Kept, cannot boot.
    Aki,
    /// Virtual PC's. Kept, cannot boot.
    Vhd,
    /// Hyper-V's. Kept, cannot boot.
    Vhdx,
    /// VMware's. Kept, cannot boot.
    Vmdk,
    /// VirtualBox's. Kept, cannot boot.
    Vdi,
    /// Virtuozzo's. Kept, cannot boot.
    Ploop,
}

impl DiskFormat {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Raw,
        Self::Qcow2,
        Self::Iso,
        Self::Ami,
        Self::Ari,
        Self::Aki,
        Self::Vhd,
        Self::Vhdx,
        Self::Vmdk,
        Self::Vdi,
        Self::Ploop,
    ];

    /// Whether a guest can start from it.
    pub fn boots(self) -> bool {
        matches!(self, Self::Raw | Self::Qcow2)
    }

    /// The name that QEMU, libvirt and Glance use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Iso => "iso",
            Self::Ami => "ami",
            Self::Ari => "ari",
            Self::Aki => "aki",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
            Self::Ploop => "ploop",
        }
    }
}

/// Who may see and use an Image.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageVisibility {
    /// Every namespace.
    Public,
    /// Every namespace may use it; it is left out of their lists.
    Community,
    /// The namespaces in `members`.
    Shared,
    /// Its own namespace.
    #[default]
    Private,
}

/// Where an Image stands; the names are Glance's.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ImageState {
    /// No bytes yet.
    Queued,
    /// Bytes are coming in.
    Saving,
    /// Usable.
    Active,
    /// Refused; see the conditions.
    Killed,
}

/// What was found out about an Image's bytes.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ImageStatus {
    /// Generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the Image stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ImageState>,
    /// SHA-256 of the bytes in hexadecimal. Hosts fetch and cache by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// SHA-512 of the bytes in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha512: Option<String>,
    /// MD5 of the bytes in hexadecimal (Glance's `checksum`; not for security).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// Size of the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Size of the disk that the guest sees, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_size: Option<u64>,
    /// Percent fetched or uploaded, while Saving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub progress: Option<u32>,
    /// Conditions: Ready, Reconciling, Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

impl Image {
    /// The name that OpenStack clients see.
    pub fn display_name(&self) -> &str {
        self.spec.display_name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// Why no guest can start from it though its bytes are here; `None`: one can.
    pub fn obstacle(&self) -> Option<String> {
        if self.spec.deactivated {
            return Some("it is deactivated".to_owned());
        }
        if !self.spec.disk_format.boots() {
            return Some(format!("its format is {}, and only raw and qcow2 boot", self.spec.disk_format.as_str()));
        }
        if self.spec.container_format != "bare" {
            return Some(format!("its container format is {}, and only bare boots", self.spec.container_format));
        }
        let conditions = self.status.as_ref().map(|s| s.conditions.as_slice()).unwrap_or_default();
        let refused = find_condition(conditions, condition::READY).filter(|c| c.reason == reason::IMAGE_REFUSED);
        refused.map(|c| c.message.clone())
    }

    /// Whether Servers of `namespace` may use this image.
    pub fn usable_in(&self, namespace: &str) -> bool {
        self.metadata.namespace.as_deref() == Some(namespace)
            || match self.spec.visibility {
                ImageVisibility::Public | ImageVisibility::Community => true,
                ImageVisibility::Shared => self.spec.members.iter().flatten().any(|n| n == namespace),
                ImageVisibility::Private => false,
            }
    }
}
