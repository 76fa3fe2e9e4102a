//! One replica leads. It stops all its work before its Lease can be another's.

use std::time::Duration;

use ostler_crds::names::MANAGER_LEASE;
use tokio_util::sync::CancellationToken;

use super::{Context, Error, lead};
use crate::common::health::Ready;

/// Seconds for which the Lease holds without renewal, and how long before its end it is renewed. A clock difference
/// between two replicas of up to the second number does no harm.
const LEASE_SECONDS: u64 = 15;
const GRACE_SECONDS: u64 = 5;

/// Stands for election until `shutdown`, and leads while elected.
pub async fn run(context: &Context, ready: Ready, shutdown: CancellationToken) -> Result<(), Error> {
    let manager = kube_lease_manager::LeaseManagerBuilder::new(context.client.clone(), MANAGER_LEASE)
        .with_namespace(&context.args.namespace)
        .with_identity(&context.args.identity)
        .with_field_manager(format!("ostler-election-{}", context.args.identity))
        .with_duration(LEASE_SECONDS)
        .with_grace(GRACE_SECONDS)
        .build()
        .await?;
    let (mut elected, task) = manager.watch().await;
    // A standby is ready as well: it can take over.
    ready.set(true);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            changed = elected.wait_for(|leads| *leads) => {
                if changed.is_err() {
                    break;
                }
            }
        }
        tracing::info!(identity = %context.args.identity, "leading");
        let term = shutdown.child_token();
        let work = lead::run(context, term.clone());
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => {}
            lost = elected.wait_for(|leads| !*leads) => {
                tracing::warn!("no longer leading");
                // Dropping `work` would do; the token lets requests that are under way end well.
                term.cancel();
                let _ = tokio::time::timeout(Duration::from_secs(GRACE_SECONDS - 1), work).await;
                if lost.is_err() {
                    break;
                }
            }
        }
    }
    // Dropping the channel makes the task give the Lease back, so that a successor need not wait for its end.
    drop(elected);
    if tokio::time::timeout(Duration::from_secs(GRACE_SECONDS), task).await.is_err() {
        tracing::warn!("the Lease could not be given back; it ends by itself");
    }
    Ok(())
}
