//! The heartbeat: a Lease that says that this node role lives. It says nothing of libvirt; the Host's condition does.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use ostler_crds::names::{HEARTBEAT_LEASE_PREFIX, NODE_FIELD_MANAGER};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// How often.
pub const PERIOD: Duration = Duration::from_secs(10);
/// After which the manager counts the host as dead; told in the Lease for whoever reads it.
const STALE_SECONDS: i32 = 40;

/// Beats until `shutdown`.
pub async fn run(client: Client, namespace: String, node: String, shutdown: CancellationToken) {
    let leases = Api::<Lease>::namespaced(client, &namespace);
    let name = format!("{HEARTBEAT_LEASE_PREFIX}{node}");
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = beat(&leases, &name, &node).await {
            tracing::warn!(%error, lease = name, "a heartbeat was not heard");
        }
    }
}

async fn beat(leases: &Api<Lease>, name: &str, node: &str) -> Result<(), kube::Error> {
    let now = MicroTime(Timestamp::now());
    let patch = json!({ "spec": { "holderIdentity": node, "renewTime": now, "leaseDurationSeconds": STALE_SECONDS } });
    let params = PatchParams { field_manager: Some(NODE_FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    match leases.patch(name, &params, &Patch::Merge(&patch)).await {
        Err(kube::Error::Api(status)) if status.code == 404 => {
            let spec = LeaseSpec {
                holder_identity: Some(node.to_owned()),
                renew_time: Some(now.clone()),
                acquire_time: Some(now),
                lease_duration_seconds: Some(STALE_SECONDS),
                ..LeaseSpec::default()
            };
            let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
            leases.create(&PostParams::default(), &Lease { metadata, spec: Some(spec) }).await.map(drop)
        }
        other => other.map(drop),
    }
}
