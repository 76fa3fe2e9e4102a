//! `GET /limits` (spec C-02). This version enforces no quotas on servers; what is unlimited says −1.

use serde_json::json;

use super::servers::facts;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    shape::{Edit, at_version},
    store::reads,
};

/// Metadata items of one server (spec L-01).
pub const SERVER_METADATA: usize = 128;
/// Key pairs of one user in one project (spec L-11).
pub const KEY_PAIRS: usize = 100;

/// 2.36 dropped the network's limits, 2.39 those of image metadata, 2.57 those of personality.
const EDITS: &[Edit] = &[
    Edit::removed(36, "absolute/maxSecurityGroups"),
    Edit::removed(36, "absolute/maxSecurityGroupRules"),
    Edit::removed(36, "absolute/maxTotalFloatingIps"),
    Edit::removed(36, "absolute/totalSecurityGroupsUsed"),
    Edit::removed(36, "absolute/totalFloatingIpsUsed"),
    Edit::removed(39, "absolute/maxImageMeta"),
    Edit::removed(57, "absolute/maxPersonality"),
    Edit::removed(57, "absolute/maxPersonalitySize"),
];

/// The limits and what is used of them.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let servers = reads::servers(&inbound.app.stores, &permit);
    let (mut cores, mut ram) = (0u64, 0u64);
    for server in &servers {
        if let Some(flavor) = facts::flavor(&inbound.app.stores, server) {
            cores += u64::from(flavor.vcpus);
            ram += flavor.memory_mib;
        }
    }
    let mut limits = json!({
        "rate": [],
        "absolute": {
            "maxServerMeta": SERVER_METADATA, "maxImageMeta": 128, "maxPersonality": 0, "maxPersonalitySize": 0,
            "maxSecurityGroups": 1, "maxSecurityGroupRules": 0, "maxTotalCores": -1, "maxTotalInstances": -1,
            "maxTotalRAMSize": -1, "maxTotalFloatingIps": 0, "maxTotalKeypairs": KEY_PAIRS, "maxServerGroups": 0,
            "maxServerGroupMembers": 0, "totalCoresUsed": cores, "totalInstancesUsed": servers.len(),
            "totalRAMUsed": ram, "totalFloatingIpsUsed": 0, "totalSecurityGroupsUsed": 1, "totalServerGroupsUsed": 0,
        },
    });
    at_version(&mut limits, EDITS, inbound.version);
    Ok(Reply::ok(&json!({"limits": limits})))
}
