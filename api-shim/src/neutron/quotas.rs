//! `GET /v2.0/quotas/{project}`: what is not served is limited to none.

use ostler_crds::quota::Resource;
use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::quotas::Quotas,
};

/// The project's own quotas.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    if inbound.param("id") != permit.project() {
        return Err(Fault::forbidden("Quotas of other projects are not shown.").kind("PolicyNotAuthorized"));
    }
    let quotas = Quotas::of(&inbound.app.stores, permit.project());
    Ok(Reply::ok(&json!({"quota": {
        "network": 0, "subnet": 0, "port": -1, "router": 0, "floatingip": 0,
        "security_group": quotas.limit(Resource::SecurityGroups),
        "security_group_rule": quotas.limit(Resource::SecurityGroupRules), "subnetpool": 0, "rbac_policy": 0,
    }})))
}
