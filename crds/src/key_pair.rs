//! KeyPair: a public key for logging in.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A KeyPair is a public ssh key that Servers of the namespace may be made with. The private half is never stored.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "KeyPair",
    plural = "keypairs",
    shortname = "kp",
    category = "compute",
    namespaced,
    status = "KeyPairStatus",
    derive = "PartialEq",
    doc = "A public ssh key that Servers may be made with.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "User", type_ = "string", json_path = ".spec.user", priority = 1),
    printcolumn(name = "Fingerprint", type_ = "string", json_path = ".status.fingerprint"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("self.publicKey == oldSelf.publicKey && self.type == oldSelf.type")
        .message("the key of a KeyPair cannot be changed: make a new KeyPair"),
    validation = Rule::new("self.type != 'X509'")
        .message("type X509 is not served yet: use Ssh").field_path(".type"),
    validation = Rule::new("self.type != 'Ssh' || self.publicKey.matches('^(ssh-ed25519 AAAAC3NzaC1lZDI1NTE5|ssh-rsa AAAAB3NzaC1yc2E|ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY|ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQ|ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjE|sk-ssh-ed25519@openssh\\\\.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t|sk-ecdsa-sha2-nistp256@openssh\\\\.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20)[A-Za-z0-9+/]*=*( [^\\n]*)?\\n?$')")
        .message("publicKey must be one line of an OpenSSH public key: TYPE BASE64 [COMMENT], TYPE one of ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256/384/521, BASE64 of that type")
        .field_path(".publicKey")
)]
#[serde(rename_all = "camelCase")]
pub struct KeyPairSpec {
    /// The name that OpenStack clients see. Default: `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// The public key, one line in OpenSSH's form.
    #[schemars(length(min = 1, max = 16384))]
    pub public_key: String,
    /// Kind of key.
    #[serde(rename = "type", default)]
    pub type_: KeyPairType,
    /// The OpenStack user that owns it; set by the shim. A KeyPair without one is everybody's in the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub user: Option<String>,
}

/// Kind of key.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyPairType {
    /// OpenSSH public key.
    #[default]
    Ssh,
    /// X.509 certificate. Not served yet.
    X509,
}

/// What was found out about the key.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct KeyPairStatus {
    /// Generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// MD5 fingerprint of the key blob, as Nova prints it (`aa:bb:…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Conditions: Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::conditions_schema")]
    pub conditions: Vec<Condition>,
}

impl KeyPair {
    /// The name that OpenStack clients see.
    pub fn display_name(&self) -> &str {
        self.spec.display_name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }
}
