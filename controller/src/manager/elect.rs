//! One replica leads. It stops all its work before its Lease can be another's ([`super::election`] says why).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::Lease,
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use ostler_crds::names::{MANAGER_FIELD_MANAGER, MANAGER_LEASE};
use serde_json::json;
use tokio::time::{sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Context,
    election::{Candidate, HOLDS, Move, Record},
    lead,
};
use crate::common::health::Ready;

/// How often a candidate looks at the Lease.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often a leader renews it; each renewal is a write.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How soon a leader tries again after a renewal that failed.
const RETRY: Duration = Duration::from_secs(1);
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long the work of a leader may take to end. `GIVES_UP` and this together are less than `HOLDS`.
const WIND_DOWN: Duration = Duration::from_secs(2);

/// Whether this replica leads at present; asked right before a write that only a leader may make.
#[derive(Debug, Clone, Default)]
pub struct Leadership(Arc<Mutex<Option<Instant>>>);

impl Leadership {
    /// Whether it leads.
    pub fn holds(&self) -> bool {
        self.until().is_some_and(|until| Instant::now() < until)
    }

    fn set(&self, until: Option<Instant>) {
        *self.until() = until;
    }

    fn until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Campaign {
    leases: Api<Lease>,
    candidate: Candidate,
    leadership: Leadership,
}

/// Stands for election until `shutdown`, and leads while elected. The API server may be away for as long as it likes.
pub async fn run(context: &Context, ready: Ready, shutdown: CancellationToken) {
    let mut campaign = Campaign {
        leases: Api::namespaced(context.client.clone(), &context.args.namespace),
        candidate: Candidate::new(&context.args.identity),
        leadership: context.leadership.clone(),
    };
    // A standby is ready as well: it can take over.
    ready.set(true);
    while shutdown.run_until_cancelled(campaign.win()).await.is_some() {
        tracing::info!(identity = %context.args.identity, "leading");
        let term = shutdown.child_token();
        let work = lead::run(context, term.clone());
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => {}
            () = campaign.keep() => {
                tracing::warn!("no longer leading");
                term.cancel();
                let _ = timeout(WIND_DOWN, work).await;
            }
        }
    }
    campaign.give_back().await;
}

impl Campaign {
    /// Waits until this replica leads.
    async fn win(&mut self) {
        loop {
            match timeout(PATIENCE, self.stand()).await {
                Ok(Ok(true)) => return,
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the election's Lease cannot be used; trying again"),
                Err(_) => tracing::warn!("the API server does not answer about the election's Lease; trying again"),
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Renews the Lease; returns when this replica leads no longer.
    async fn keep(&mut self) {
        let mut wait = RENEW_EVERY;
        while let Some(until) = self.candidate.leads_until() {
            let renewed = async {
                sleep(wait).await;
                timeout(PATIENCE, self.renew()).await
            };
            let renewed = tokio::select! {
                renewed = renewed => renewed,
                () = sleep_until(until.into()) => break,
            };
            wait = match renewed {
                Ok(Ok(true)) => RENEW_EVERY,
                Ok(Ok(false)) => break,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the election's Lease was not renewed");
                    RETRY
                }
                Err(_) => RETRY,
            };
        }
        self.candidate.stand_down();
        self.leadership.set(None);
    }

    /// One look, and a write if it is our turn. Says whether this replica leads.
    async fn stand(&mut self) -> Result<bool, kube::Error> {
        let lease = match self.leases.get_opt(MANAGER_LEASE).await? {
            Some(lease) => lease,
            None => self.create().await?,
        };
        let record = record(&lease);
        match self.candidate.look(&record, Instant::now()) {
            Move::Wait => Ok(false),
            Move::Take => self.write(&record.version, record.holder.as_deref()).await,
        }
    }

    /// A renewal on what was written last; where that was changed meanwhile, another look tells by whom.
    async fn renew(&mut self) -> Result<bool, kube::Error> {
        let version = self.candidate.version().map(str::to_owned).unwrap_or_default();
        let own = self.candidate.identity().to_owned();
        match self.write(&version, Some(&own)).await? {
            true => Ok(true),
            false => self.stand().await,
        }
    }

    /// Writes ourselves into the Lease if it still has `version`. Says whether it was taken.
    async fn write(&mut self, version: &str, before: Option<&str>) -> Result<bool, kube::Error> {
        let began = Instant::now();
        let now = MicroTime(Timestamp::now());
        let own = self.candidate.identity();
        let mut spec = json!({ "holderIdentity": own, "renewTime": now, "leaseDurationSeconds": HOLDS.as_secs() });
        if before != Some(own) {
            spec["acquireTime"] = json!(now);
        }
        let Some(lease) = self.patch(version, spec).await? else { return Ok(false) };
        self.candidate.wrote(lease.metadata.resource_version.unwrap_or_default(), began);
        self.leadership.set(self.candidate.leads_until());
        Ok(true)
    }

    /// `None`: the Lease has another version by now.
    async fn patch(&self, version: &str, spec: serde_json::Value) -> Result<Option<Lease>, kube::Error> {
        let patch = json!({ "metadata": { "resourceVersion": version }, "spec": spec });
        let params = PatchParams { field_manager: Some(MANAGER_FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match self.leases.patch(MANAGER_LEASE, &params, &Patch::Merge(&patch)).await {
            Ok(lease) => Ok(Some(lease)),
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create(&self) -> Result<Lease, kube::Error> {
        let metadata = ObjectMeta { name: Some(MANAGER_LEASE.to_owned()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: None };
        match self.leases.create(&PostParams::default(), &lease).await {
            // Another candidate was faster.
            Err(kube::Error::Api(status)) if status.code == 409 => self.leases.get(MANAGER_LEASE).await,
            other => other,
        }
    }

    /// Lets a successor in at once. Without it he waits for [`HOLDS`].
    async fn give_back(&mut self) {
        let leads = self.candidate.leads_until().is_some();
        self.candidate.stand_down();
        self.leadership.set(None);
        if leads && !matches!(timeout(PATIENCE, self.empty()).await, Ok(Ok(()))) {
            tracing::warn!("the Lease could not be given back; it ends by itself");
        }
    }

    /// Empties the Lease if it is ours. It is read first: a renewal that was cut off may have been taken.
    async fn empty(&self) -> Result<(), kube::Error> {
        let record = record(&self.leases.get(MANAGER_LEASE).await?);
        if record.holder.as_deref() == Some(self.candidate.identity()) {
            self.patch(&record.version, json!({ "holderIdentity": null, "renewTime": null })).await?;
        }
        Ok(())
    }
}

fn record(lease: &Lease) -> Record {
    let holder = lease.spec.as_ref().and_then(|s| s.holder_identity.clone()).filter(|h| !h.is_empty());
    Record { holder, version: lease.metadata.resource_version.clone().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::super::election::GIVES_UP;
    use super::*;

    #[test]
    fn a_leader_has_stopped_before_a_successor_may_begin() {
        assert!(GIVES_UP + WIND_DOWN < HOLDS);
        assert!(RENEW_EVERY + PATIENCE < GIVES_UP, "one renewal may be lost");
    }

    #[test]
    fn leadership_ends_by_itself() {
        let leadership = Leadership::default();
        assert!(!leadership.holds());
        leadership.set(Some(Instant::now() + Duration::from_secs(60)));
        assert!(leadership.clone().holds());
        leadership.set(Some(Instant::now()));
        assert!(!leadership.holds());
    }
}
