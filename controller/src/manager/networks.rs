//! Network → status: how many addresses there are and how many are held. Counted at most once a minute, so that a
//! Server costs no write here.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Network, NetworkStatus,
    names::{MANAGER_FIELD_MANAGER, condition, reason},
};
use ostler_engine::allocate::Pool;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Context, ledger::Ledger, stores::Stores};

/// Time between two counts.
const COUNT_EVERY: u32 = 60;

/// Counts until `term`. A Network that is new or changed is seen to within a second.
pub async fn run(context: &Context, stores: &Stores, ledger: Arc<Mutex<Ledger>>, term: CancellationToken) {
    let mut round = 0u32;
    while !term.is_cancelled() {
        for network in stores.networks.state() {
            let in_use = ledger.lock().unwrap_or_else(PoisonError::into_inner).addresses_in_use(&network.name_any());
            let wanted = status(&network, in_use, Timestamp::now());
            let fresh = network.status.as_ref().and_then(|s| s.observed_generation) == network.meta().generation;
            let due = !fresh || round.is_multiple_of(COUNT_EVERY);
            if due
                && network.status.as_ref() != Some(&wanted)
                && let Err(error) = write(context, &network, &wanted).await
            {
                tracing::warn!(network = %network.name_any(), %error, "its status was not written; trying again");
            }
        }
        round = round.wrapping_add(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn status(network: &Network, in_use: u64, now: Timestamp) -> NetworkStatus {
    let pool = match network.spec.subnets.first().map(Pool::new) {
        Some(Ok(pool)) => Ok(pool),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("spec.subnets is empty".to_owned()),
    };
    let (ok, why, message) = match &pool {
        Ok(_) => (ConditionStatus::True, reason::VERIFIED, "guests can be plugged in".to_owned()),
        Err(error) => (ConditionStatus::False, reason::INVALID_SPEC, format!("{error}; make a new Network")),
    };
    let generation = network.meta().generation.unwrap_or_default();
    let previous = network.status.as_ref().map_or(&[][..], |s| &s.conditions);
    let ready = ConditionBuilder { type_: condition::READY, status: ok, reason: why, message };
    NetworkStatus {
        observed_generation: Some(generation),
        addresses_in_use: Some(in_use),
        addresses_total: pool.ok().map(|p| p.len()),
        conditions: vec![ready.build(generation, previous, now)],
    }
}

async fn write(context: &Context, network: &Network, status: &NetworkStatus) -> Result<(), kube::Error> {
    let api = Api::<Network>::all(context.client.clone());
    let patch = json!({
        "apiVersion": Network::api_version(&()),
        "kind": Network::kind(&()),
        "metadata": { "name": network.name_any(), "uid": network.uid() },
        "status": status,
    });
    let params = PatchParams::apply(MANAGER_FIELD_MANAGER).force();
    match api.patch_status(&network.name_any(), &params, &Patch::Apply(&patch)).await {
        Err(kube::Error::Api(refusal)) if refusal.code == 404 || refusal.code == 409 => Ok(()),
        other => other.map(|_| ()),
    }
}
