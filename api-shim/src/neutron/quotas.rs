//! `GET /v2.0/quotas/{project}`: nothing is limited, and what is not served is limited to none.

use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// The project's own quotas.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    if inbound.param("id") != permit.project() {
        return Err(Fault::forbidden("Quotas of other projects are not shown.").kind("PolicyNotAuthorized"));
    }
    Ok(Reply::ok(&json!({"quota": {
        "network": 0, "subnet": 0, "port": -1, "router": 0, "floatingip": 0, "security_group": 1,
        "security_group_rule": 0, "subnetpool": 0, "rbac_policy": 0,
    }})))
}
