//! Kinds that Neutron has and this version has none of: their lists are empty.

use serde_json::json;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// One handler a kind.
macro_rules! empty {
    ($($(#[$doc:meta])* $name:ident => $key:literal;)*) => {
        $($(#[$doc])* pub async fn $name(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
            Ok(Reply::ok(&json!({$key: []})))
        })*
    };
}

empty! {
    /// Floating IPs.
    floating_ips => "floatingips";
    /// Routers.
    routers => "routers";
    /// Subnet pools.
    subnet_pools => "subnetpools";
    /// Address scopes.
    address_scopes => "address_scopes";
    /// Agents.
    agents => "agents";
}
