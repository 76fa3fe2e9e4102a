//! Keeps the image cache within its limit, and says how large it is: in metrics, and in the Host's status.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{Api, api::ListParams};
use ostler_crds::Server;
use ostler_engine::{guest::images, image_cache::Limit};
use ostler_hypervisor::Hypervisor;
use tokio_util::sync::CancellationToken;

use super::{Node, storage::CacheState};

/// How often it is looked at, if no image came and no disk went meanwhile.
const PERIOD: Duration = Duration::from_secs(300);
/// Changes come in bunches.
const BUNCH: Duration = Duration::from_secs(3);

/// Settings of the image cache.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "image_cache")]
pub struct Args {
    /// How much the cached images may take: a share of the state folder's file system (10%), or a size (50GiB). Images that
    /// no guest here needs are removed, longest unused first, until it fits; those that guests stand on never are.
    #[arg(long, env = "OSTLER_IMAGE_CACHE_LIMIT", default_value = "10%")]
    pub image_cache_limit: Limit,
}

/// What was seen of the cache last.
#[derive(Default)]
pub struct SeenCache(Mutex<Option<CacheState>>);

impl SeenCache {
    /// `None`: it was not looked at yet.
    pub fn get(&self) -> Option<CacheState> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: CacheState) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }
}

/// Keeps the cache until `shutdown`.
pub async fn run<H: Hypervisor>(node: Arc<Node<H>>, limit: Limit, shutdown: CancellationToken) {
    loop {
        if let Err(error) = look(&node, limit).await {
            tracing::warn!(%error, "cannot look after the image cache; nothing is removed");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = node.storage.cache_changed() => tokio::time::sleep(BUNCH).await,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn look<H: Hypervisor>(node: &Node<H>, limit: Limit) -> anyhow::Result<()> {
    // Asked afresh: an image of a Server that was bound a moment ago must not look unneeded.
    let here = ListParams::default().fields(&format!("status.host={}", node.name));
    let servers = Api::<Server>::all(node.client.clone()).list(&here).await?;
    let staying = servers.iter().filter(|s| s.metadata.deletion_timestamp.is_none());
    let state = node.storage.tidy_cache(limit, staying.flat_map(images).collect()).await?;
    node.cache.set(state);
    node.metrics.image_cache(&state);
    Ok(())
}
