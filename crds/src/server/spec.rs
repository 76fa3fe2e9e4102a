//! The wish: what the owner of a Server asks for.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ServerStatus;
use crate::{
    rule::{immutable, not_served},
    security_group::DEFAULT,
};

/// A Server is a KVM guest. Apply one, wait for condition Ready, and log in at `status.addresses`. Standing wishes are
/// fields (`powerState`); a momentary one (reboot) is `action` with a new id. Deleting the Server removes the guest,
/// its disks and its addresses, and returns when nothing is left.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "Server",
    plural = "servers",
    shortname = "srv",
    category = "compute",
    namespaced,
    status = "ServerStatus",
    derive = "PartialEq",
    doc = "A KVM guest.",
    selectable = ".status.host",
    printcolumn(name = "State", type_ = "string", json_path = ".status.state.status"),
    printcolumn(name = "Flavor", type_ = "string", json_path = ".spec.flavor"),
    printcolumn(name = "Image", type_ = "string", json_path = ".spec.image"),
    printcolumn(name = "Address", type_ = "string", json_path = ".status.addresses[0].address"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Host", type_ = "string", json_path = ".status.host", priority = 1),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = 1
    ),
    printcolumn(name = "Id", type_ = "string", json_path = ".metadata.uid", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = not_served("bootVolume", "volumes do not exist in this version; name an image"),
    validation = Rule::new("has(self.locked) && self.locked || !has(self.lockedReason)")
        .message("lockedReason is only for a locked Server").field_path(".lockedReason"),
    validation = Rule::new("has(self.image)").message("image is required").field_path(".image"),
    validation = Rule::new("!has(self.action) || self.action.type != 'ChangePassword' || has(self.adminPassword)")
        .message("ChangePassword sets adminPassword, which is missing").field_path(".adminPassword"),
    validation = Rule::new("!has(self.networks) || self.networks.all(n, self.networks.exists_one(m, m.name == n.name))")
        .message("networks must name each Network once").field_path(".networks"),
    validation = Rule::new("!has(self.securityGroups) || self.securityGroups.all(g, self.securityGroups.exists_one(h, h == g))")
        .message("securityGroups must name each SecurityGroup once").field_path(".securityGroups"),
    validation = Rule::new("!has(self.metadata) || self.metadata.all(k, k.size() >= 1 && k.size() <= 255)")
        .message("keys of metadata must have 1 to 255 characters").field_path(".metadata"),
    validation = immutable("schedulerHints", "they count when a Server is placed, and moving it is not served yet"),
    validation = immutable("networks", "attaching and detaching is not served yet"),
    validation = immutable("files", "they are put into the guest when it is made"),
    validation = immutable("availabilityZone", "moving a Server is not served yet"),
    validation = immutable("nodeSelector", "moving a Server is not served yet"),
    validation = Rule::new("self.configDrive == oldSelf.configDrive").message("configDrive cannot be changed").field_path(".configDrive")
)]
#[serde(rename_all = "camelCase")]
pub struct ServerSpec {
    /// The name that OpenStack clients see; free text. Default: `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// Host name inside the guest. Default: `metadata.name`, cut to what DNS allows in one label. A guest learns of a
    /// change when it is rebuilt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 253),
        regex(
            pattern = r"^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*$"
        )
    )]
    pub hostname: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub description: Option<String>,
    /// Name of the Flavor: processors, memory and disk. A change is a resize: the guest is shut down, given its new size,
    /// and started again; what comes then is for `resizePolicy` to say. Its disk never shrinks.
    #[schemars(length(min = 1, max = 253))]
    pub flavor: String,
    /// Image that the root disk starts from: `name` in this namespace, or `namespace/name` of a public or shared one. A
    /// change is a rebuild: the root disk is made anew and all data on it is lost; id and addresses stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 317),
        regex(pattern = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
    )]
    pub image: Option<String>,
    /// Volume to boot from instead of an image. Not served yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub boot_volume: Option<String>,
    /// Name of a KeyPair in this namespace whose public key the guest accepts for ssh. A change is told to the guest when
    /// it is rebuilt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key_pair: Option<String>,
    /// Networks to plug into, in the order of the guest's interfaces. Absent: the default Network. Empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub networks: Option<Vec<ServerNetwork>>,
    /// Names of SecurityGroups in this namespace: their rules hold for all interfaces. A change holds at once. Absent:
    /// `default`. Empty: nothing passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)))]
    pub security_groups: Option<Vec<String>>,
    /// What cloud-init in the guest gets as user data. A change is told to the guest when it is rebuilt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<UserData>,
    /// Files to put into the guest (Nova's personality): on its config drive, and served to it as metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5))]
    pub files: Option<Vec<GuestFile>>,
    /// Key and value pairs that the guest finds in `meta` of its metadata.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 128, "additionalProperties" = {"type": "string", "maxLength": 255}))]
    pub metadata: BTreeMap<String, String>,
    /// Tags for lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 60)))]
    pub tags: Vec<String>,
    /// How the guest may ask the metadata service at 169.254.169.254. A change holds at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_options: Option<MetadataOptions>,
    /// Whether the guest shall run, be off, stand still (Paused), or be off with its memory saved (Suspended). From
    /// Suspended to Stopped gives the saved memory up.
    #[serde(default)]
    pub power_state: PowerState,
    /// What to do after a resize: keep the new size at once (AutoConfirm), or keep what is needed to go back until action
    /// ConfirmResize, or until `flavor` is set back (Verify).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize_policy: Option<ResizePolicy>,
    /// Whether the guest gets a config drive (a small disk labelled `config-2`) with its data as they are when it is made.
    /// Without it, and to see later changes, it asks the metadata service, for which it needs a network.
    #[serde(default = "yes")]
    pub config_drive: bool,
    /// The administrator's password in the guest, as a one-way hash: of `root`. cloud-init sets it when the guest is
    /// made; action ChangePassword has the guest's agent set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_password: Option<AdminPassword>,
    /// Nova's scheduler hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler_hints: Option<SchedulerHints>,
    /// Labels that the Host must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 16, "additionalProperties" = {"type": "string", "maxLength": 63}))]
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Availability zone that the Host must be in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub availability_zone: Option<String>,
    /// Whether other changes, and its deletion, are refused. Whoever may lock a Server may unlock it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Why it is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub locked_reason: Option<String>,
    /// Present: the guest runs from a rescue disk, with its own disk beside it. Removed: it runs from its own disk
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<Rescue>,
    /// A momentary wish. It is done once for each new id, and echoed in `status.lastAction`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ServerAction>,
}

impl ServerSpec {
    /// Names of the SecurityGroups that it is in.
    pub fn security_groups(&self) -> Vec<&str> {
        self.security_groups
            .as_ref()
            .map_or_else(|| vec![DEFAULT], |groups| groups.iter().map(String::as_str).collect())
    }
}

fn yes() -> bool {
    true
}

/// A network that a Server is plugged into.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServerNetwork {
    /// Name of the Network.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The address that the guest shall have. Default: a free one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 39), regex(pattern = r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$"))]
    pub address: Option<String>,
}

/// User data: exactly one of the fields.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = not_served("secretRef", "use text or base64"),
    validation = Rule::new("(has(self.text) ? 1 : 0) + (has(self.base64) ? 1 : 0) + (has(self.secretRef) ? 1 : 0) == 1")
        .message("userData must have exactly one of text, base64, secretRef"),
    validation = Rule::new("!has(self.text) || bytes(self.text).size() <= 65536")
        .message("userData.text must have at most 65536 bytes in UTF-8").field_path(".text")
)]
#[serde(rename_all = "camelCase")]
pub struct UserData {
    /// As plain text, at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub text: Option<String>,
    /// In base64, at most 64 KiB when decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 87384), regex(pattern = r"^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$"))]
    pub base64: Option<String>,
    /// From a Secret. Not served yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyRef>,
}

/// A key of a Secret in the Server's namespace.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// The administrator's password, never in clear: no part of Ostler reads Secrets for it (decision 0009).
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AdminPassword {
    /// Hash in the form of crypt(3), as `openssl passwd -6` prints it: SHA-512 (`$6$…`), SHA-256 (`$5$…`) or yescrypt
    /// (`$y$…`).
    #[schemars(length(min = 16, max = 255), regex(pattern = r"^\$(5|6|y)\$[./A-Za-z0-9=$]+$"))]
    pub hash: String,
}

/// Where a Server shall be placed in relation to others.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SchedulerHints {
    /// Name of a ServerGroup in this namespace, whose policy the scheduler follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub group: Option<String>,
    /// OpenStack ids of Servers of this namespace, on whose host it shall be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 36)))]
    pub same_host: Vec<String>,
    /// OpenStack ids of Servers of this namespace, on whose hosts it shall not be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 36)))]
    pub different_host: Vec<String>,
}

/// How a guest is rescued.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Rescue {
    /// Image of the rescue disk, named as in `spec.image`. Default: the image that the Server was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 317),
        regex(pattern = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
    )]
    pub image: Option<String>,
}

/// A file that is put into the guest.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("self.path.startsWith('/') && bytes(self.path).size() <= 255")
        .message("path must be absolute and have at most 255 bytes in UTF-8").field_path(".path"),
    validation = Rule::new("self.base64.size() % 4 == 0 && (self.base64.size() < 13656 || self.base64.endsWith('=='))")
        .message("base64 must be whole (a multiple of 4 characters) and have at most 10240 bytes when decoded").field_path(".base64")
)]
#[serde(rename_all = "camelCase")]
pub struct GuestFile {
    /// Absolute path in the guest, at most 255 bytes.
    #[schemars(length(min = 1, max = 255))]
    pub path: String,
    /// Contents in base64, at most 10240 bytes when decoded.
    #[schemars(length(max = 13656), regex(pattern = r"^[A-Za-z0-9+/]*={0,2}$"))]
    pub base64: String,
}

/// How the guest may ask the metadata service (seed operation C-67; spec/imds.md §1, §6).
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MetadataOptions {
    /// Whether the service answers at all.
    #[serde(default = "yes")]
    pub endpoint_enabled: bool,
    /// Whether a session token is required: `PUT /latest/api/token`.
    #[serde(default)]
    pub tokens_required: bool,
    /// IP TTL of the answer that has the token: 1 reaches the guest itself, 2 also containers behind its router.
    #[serde(default = "one_hop")]
    #[schemars(range(min = 1, max = 64))]
    pub hop_limit: u32,
    /// Whether `metadata` is also served as tags, under `tags/instance/`.
    #[serde(default)]
    pub tags_enabled: bool,
}

impl Default for MetadataOptions {
    fn default() -> Self {
        Self { endpoint_enabled: true, tokens_required: false, hop_limit: 1, tags_enabled: false }
    }
}

fn one_hop() -> u32 {
    1
}

/// What to do after a resize. Default: AutoConfirm.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizePolicy {
    /// Wait in VERIFY_RESIZE.
    Verify,
    /// Confirm at once.
    AutoConfirm,
}

/// Whether a guest runs.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PowerState {
    /// It runs.
    #[default]
    Running,
    /// It is shut down; its disk is kept.
    Stopped,
    /// Its processors stand still.
    Paused,
    /// Its memory is saved to disk.
    Suspended,
    /// It is off its host and kept as an image; id, addresses and MACs stay. It comes back, on any host, with any other
    /// state.
    Shelved,
}

/// A momentary wish.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new("self.type != 'Migrate'")
        .message("type must not be Migrate: migration is not served yet").field_path(".type")
)]
#[serde(rename_all = "camelCase")]
pub struct ServerAction {
    /// Any text that differs from the last one, for example a time or a UUID.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9._:-]+$"))]
    pub id: String,
    /// What to do.
    #[serde(rename = "type")]
    pub type_: ActionType,
}

/// Kinds of momentary wishes.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionType {
    /// Ask the guest to restart; after two minutes without an answer, do it the hard way.
    RebootSoft,
    /// Power off and on.
    RebootHard,
    /// Make the root disk anew from `spec.image`. All data on it is lost; id and addresses stay.
    Rebuild,
    /// Set the password of `spec.adminPassword` in the running guest, through its guest agent.
    ChangePassword,
    /// Keep the new flavor after a resize, and remove what a revert would need.
    ConfirmResize,
    /// Move to another host. Not served yet.
    Migrate,
    /// For administrators: leave a Host that is silent and fenced. The guest is made anew on another Host from its image;
    /// what its disk held is lost.
    Evacuate,
    /// For administrators: take a Server out of ERROR. What stands in its way is tried again at once; what still does
    /// shows again.
    ResetToActive,
    /// For administrators: show a Server as ERROR until the next action or change of its spec. The guest is not touched.
    ResetToError,
}
