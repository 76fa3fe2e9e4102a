//! `GET /limits` (spec C-02): what the project may have and has.

use ostler_crds::quota::Resource;
use serde_json::json;

use crate::{
    authorize::{Permit, rule::common},
    fault::Fault,
    http::{Inbound, Reply},
    shape::{Edit, at_version},
    store::{
        quotas::{Quotas, used},
        security_groups,
    },
};

/// Metadata items of one server that the API server takes (spec L-01); a quota may be lower.
pub const SERVER_METADATA: usize = 128;

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

/// The limits and what is used of them. An administrator may name another project by `tenant_id`.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    inbound.query.strict(&["tenant_id", "reserved"], inbound.version)?;
    let project = match inbound.query.get("tenant_id").filter(|t| *t != permit.project()) {
        None => permit.project(),
        Some(other) if inbound.app.authorizer.may_also(&permit, common::ALL_PROJECTS).await? => other,
        Some(_) => {
            let rule = common::ALL_PROJECTS;
            return Err(Fault::forbidden(format!(
                "Policy does not allow limits of other projects: it needs permission to {rule} in the whole cluster."
            )));
        }
    };
    let stores = &inbound.app.stores;
    let (quotas, used) = (Quotas::of(stores, project), used(stores, project, None));
    let limit = |resource| quotas.limit(resource);
    let mut limits = json!({
        "rate": [],
        "absolute": {
            "maxServerMeta": limit(Resource::MetadataItems), "maxImageMeta": 128,
            "maxPersonality": limit(Resource::InjectedFiles),
            "maxPersonalitySize": limit(Resource::InjectedFileContentBytes),
            "maxSecurityGroups": limit(Resource::SecurityGroups),
            "maxSecurityGroupRules": limit(Resource::SecurityGroupRules),
            "maxTotalCores": limit(Resource::Cores), "maxTotalInstances": limit(Resource::Instances),
            "maxTotalRAMSize": limit(Resource::MemoryMib), "maxTotalFloatingIps": limit(Resource::FloatingIps),
            "maxTotalKeypairs": limit(Resource::KeyPairs), "maxServerGroups": limit(Resource::ServerGroups),
            "maxServerGroupMembers": limit(Resource::ServerGroupMembers), "totalCoresUsed": used.cores,
            "totalInstancesUsed": used.instances, "totalRAMUsed": used.memory_mib, "totalFloatingIpsUsed": 0,
            "totalSecurityGroupsUsed": security_groups::count(stores, project), "totalServerGroupsUsed": 0,
        },
    });
    at_version(&mut limits, EDITS, inbound.version);
    Ok(Reply::ok(&json!({"limits": limits})))
}
