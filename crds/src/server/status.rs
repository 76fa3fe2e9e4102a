//! The report: what the manager and the node role say of a Server.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActionType, state::ServerState};
use crate::{
    condition::{Status as ConditionStatus, find_condition},
    image::DiskFormat,
    names::condition,
};

/// What the manager (host, addresses, flavor, image, condition Scheduled) and the node role (the rest) say.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// Generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The state as Nova names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ServerState>,
    /// Name of the Host that runs it. Written once, by the manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Generation of the Host under which the guest may be started there. A fence gives the Host a newer one, so a guest that
    /// is started after it says so here first, and is not evacuated. Written with `host`, then by the node role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_generation: Option<i64>,
    /// Its interfaces and addresses, in the order of the guest's interfaces. Written once, by the manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub addresses: Vec<ServerAddress>,
    /// The Flavor as it was when the Server was placed, or resized last; the Flavor itself may be gone since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<ResolvedFlavor>,
    /// A resize that is neither confirmed nor reverted. Written by the manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<OpenResize>,
    /// The image that the guest is kept as while it is off its host, and until it is there again. Written by the manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf: Option<Shelf>,
    /// Images that are to be made of it: names of Images in its namespace with `source.server`. Written by the manager.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub snapshots: Vec<SnapshotOrder>,
    /// Images of it that could not be made, until the manager has noted that. Written by the node role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub failed_snapshots: Vec<FailedSnapshot>,
    /// The Image as it was when the Server was placed, or rebuilt last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ResolvedImage>,
    /// The Image of `spec.rescue.image`, while the Server is to be rescued with an image of its own. Written by the
    /// manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue_image: Option<ResolvedImage>,
    /// What the guest's root disk is, as its host says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<RootDisk>,
    /// The public key as it was when the Server was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ResolvedKey>,
    /// When the guest was first started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launched_at: Option<Time>,
    /// Name of the Host that started the guest last. Its disk is there, and is never made anew in silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launched_on: Option<String>,
    /// The last momentary wish that was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_action: Option<LastAction>,
    /// Why the Server is in ERROR (Nova's fault).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Conditions: Ready, Reconciling, Stalled, Scheduled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

impl ServerStatus {
    /// Whether its host is to let go of the guest, which is kept as an image.
    pub fn is_to_leave(&self) -> bool {
        self.shelf.as_ref().is_some_and(|shelf| shelf.host.is_some() && shelf.host == self.host)
    }

    /// The image that a returning guest's disk is made from.
    pub fn returns_from(&self) -> Option<&ResolvedImage> {
        self.shelf.as_ref().filter(|shelf| shelf.host.is_none()).map(|shelf| &shelf.image)
    }

    /// Whether the guest was started where it is bound to, so that its disk must be there. A Server that came from another
    /// Host has no disk yet.
    pub fn launched_here(&self) -> bool {
        self.launched_at.is_some() && self.launched_on.as_ref().is_none_or(|on| self.host.as_ref() == Some(on))
    }

    /// Whether the open resize was confirmed and only the manager has not noted it yet.
    pub fn resize_is_confirmed(&self) -> bool {
        let (Some(resize), Some(done)) = (&self.resize, &self.last_action) else { return false };
        done.type_ == ActionType::ConfirmResize && done.succeeded && resize.after_action.as_ref() != Some(&done.id)
    }

    /// Why the manager cannot do what this generation of the spec changes, if it cannot.
    pub fn change_refused(&self, generation: Option<i64>) -> Option<&Condition> {
        find_condition(&self.conditions, condition::CHANGE_REFUSED)
            .filter(|c| c.status == ConditionStatus::True.as_str() && c.observed_generation == generation)
    }
}

/// A guest's root disk.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RootDisk {
    /// OpenStack id of the Image that it was made from.
    pub image: String,
    /// `metadata.name` of the Flavor that it has the size of.
    pub flavor: String,
}

/// An interface of a guest and its address.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServerAddress {
    /// Name of the Network.
    pub network: String,
    /// The Network's name as OpenStack clients see it, when the address was given.
    pub label: String,
    /// MAC address, lower case with colons.
    pub mac: String,
    /// The address.
    pub address: String,
    /// Length of the subnet's prefix.
    #[schemars(with = "u32")]
    pub prefix_length: u8,
    /// The router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// DNS servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_servers: Vec<String>,
    /// Largest packet in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

/// A Flavor as it was when the Server was placed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedFlavor {
    /// `metadata.name` of the Flavor.
    pub name: String,
    /// The Flavor's OpenStack id.
    pub id: String,
    /// The Flavor's OpenStack name.
    pub display_name: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: u64,
    /// Root disk in GiB; 0: as large as the image.
    #[serde(rename = "diskGiB")]
    pub disk_gib: u64,
    /// Extra specs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra_specs: BTreeMap<String, String>,
}

/// An Image as it was when the Server was placed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedImage {
    /// Namespace of the Image.
    pub namespace: String,
    /// `metadata.name` of the Image.
    pub name: String,
    /// The Image's OpenStack id.
    pub id: String,
    /// SHA-256 of its bytes; hosts cache by it.
    pub sha256: String,
    /// Format of its bytes.
    pub disk_format: DiskFormat,
    /// Size of its bytes.
    pub size: u64,
    /// Size of the disk that the guest sees, in bytes.
    pub virtual_size: u64,
    /// URL to fetch the bytes from; absent: they are asked of the shim by digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A resize that is neither confirmed nor reverted.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct OpenResize {
    /// The Flavor before.
    pub from: ResolvedFlavor,
    /// Id of the action that was the last one when the resize began: a ConfirmResize of that id confirmed an earlier
    /// resize.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_action: Option<String>,
}

/// What a shelved Server is kept as.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Shelf {
    /// The image of its disk, from which the next one is made.
    pub image: ResolvedImage,
    /// The Host that is to let go of the guest, until it has. Absent: any Host that the Server is placed on makes its disk
    /// from the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// An image that is to be made of a Server.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotOrder {
    /// `metadata.name` of the Image.
    pub image: String,
    /// `metadata.uid` of the Image: another one of that name is another order.
    pub uid: String,
}

/// An image of a Server that could not be made.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct FailedSnapshot {
    /// `metadata.uid` of the Image.
    pub uid: String,
    /// Reason for the Image's conditions.
    pub reason: String,
    /// A sentence for them.
    pub message: String,
}

/// A KeyPair as it was when the Server was placed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedKey {
    /// `metadata.name` of the KeyPair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_pair: Option<String>,
    /// The KeyPair's OpenStack name.
    pub name: String,
    /// The public key.
    pub public_key: String,
}

/// A momentary wish that was done.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct LastAction {
    /// The wish's id.
    pub id: String,
    /// What it was.
    #[serde(rename = "type")]
    pub type_: ActionType,
    /// Whether it was done.
    pub succeeded: bool,
    /// What went wrong, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why a Server is in ERROR.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// Nova's code: 500 for ours, 400 for the user's.
    #[schemars(with = "u32")]
    pub code: u16,
    /// One sentence.
    pub message: String,
    /// When it was noticed.
    pub created: Time,
}

impl Fault {
    /// A fault noticed `now`.
    pub fn new(code: u16, message: impl Into<String>, now: Timestamp) -> Self {
        Self { code, message: message.into(), created: Time(now) }
    }
}
