//! ServerGroup: Servers that shall be together, or apart.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rule::immutable;

/// A ServerGroup says how Servers of its namespace that name it in `schedulerHints.group` are placed in relation to each
/// other (Nova's server group). It counts when a Server is placed; a Server that runs is not moved.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "ServerGroup",
    plural = "servergroups",
    shortname = "sgrp",
    category = "compute",
    namespaced,
    derive = "PartialEq",
    doc = "Servers that shall be together on a host, or apart.",
    printcolumn(name = "Policy", type_ = "string", json_path = ".spec.policy"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("self.policy == 'AntiAffinity' || !has(self.maxServersPerHost)")
        .message("maxServersPerHost is only for the policy AntiAffinity").field_path(".maxServersPerHost"),
    validation = Rule::new("self.policy == oldSelf.policy")
        .message("policy cannot be changed, because Servers were placed by it: make a new ServerGroup").field_path(".policy"),
    validation = immutable("maxServersPerHost", "Servers were placed by it; make a new ServerGroup")
)]
#[serde(rename_all = "camelCase")]
pub struct ServerGroupSpec {
    /// The name that OpenStack clients see; free text. Default: `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub display_name: Option<String>,
    /// How its Servers are placed.
    pub policy: GroupPolicy,
    /// How many of its Servers may be on one host with the policy AntiAffinity. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub max_servers_per_host: Option<u32>,
}

/// How the Servers of a group are placed.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupPolicy {
    /// All on one host, or not at all.
    Affinity,
    /// Each on a host of its own, or not at all.
    AntiAffinity,
    /// On one host as far as there is room.
    SoftAffinity,
    /// On different hosts as far as there are any.
    SoftAntiAffinity,
}

impl GroupPolicy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Affinity, Self::AntiAffinity, Self::SoftAffinity, Self::SoftAntiAffinity];

    /// Nova's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Affinity => "affinity",
            Self::AntiAffinity => "anti-affinity",
            Self::SoftAffinity => "soft-affinity",
            Self::SoftAntiAffinity => "soft-anti-affinity",
        }
    }
}

impl ServerGroup {
    /// The name that OpenStack clients see.
    pub fn display_name(&self) -> &str {
        self.spec.display_name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }
}
