//! The manager: one leader places Servers on Hosts, gives out addresses, checks Images.
//!
//! ```text
//!   elect ─► lead ─┬─ place     Server: resolve → schedule → allocate → one write binds
//!                  ├─ follow    Server: resolve what changed later → a write each
//!                  ├─ images    Image: fetch, check, report
//!                  ├─ snapshots Image of a Server: order it of the Server's host, report
//!                  ├─ shelve    shelved Server: make its image, have its host let go
//!                  ├─ networks  Network: count addresses
//!                  ├─ key_pairs KeyPair: fingerprint
//!                  └─ silent_hosts  Host: its Servers are UNKNOWN, or leave it once it is proven dead
//! ```
//!
//! No guest depends on it: a lost manager only means that nothing new is placed.

mod affinity;
mod elect;
mod election;
mod follow;
mod heartbeats;
mod images;
mod key_pairs;
mod lead;
mod ledger;
mod networks;
mod place;
mod shelve;
mod silent_hosts;
mod snapshots;
mod stores;
mod turns;
mod write;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use elect::Leadership;
use kube::Client;
use prometheus_client::registry::Registry;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{
    common::{
        client,
        events::Events,
        health::{self, Ready},
    },
    image::{self, Fetcher},
};

/// Settings of the manager.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "manager")]
pub struct Args {
    /// Namespace of the release, where Leases live.
    #[arg(long, env = "OSTLER_NAMESPACE")]
    pub namespace: String,
    /// Name of this replica in the election.
    #[arg(long, env = "OSTLER_IDENTITY")]
    pub identity: String,
    /// Where health and metrics are served.
    #[arg(long, env = "OSTLER_HEALTH_ADDR", default_value = "0.0.0.0:8081")]
    pub health_addr: SocketAddr,
    /// Folder for images while they are checked; emptied at start.
    #[arg(long, env = "OSTLER_SCRATCH_DIR", default_value = "/scratch")]
    pub scratch_dir: PathBuf,
    /// How images are fetched.
    #[command(flatten)]
    pub image: image::Args,
}

/// Why the manager ended.
#[derive(Debug, Error)]
pub enum Error {
    /// No usable kubeconfig or ServiceAccount.
    #[error("no way to the API server: {0}")]
    Client(#[from] kube::Error),
    /// The web client cannot be made.
    #[error("the client for images cannot be made: {0}")]
    Web(#[from] reqwest::Error),
    /// The health address cannot be served, or the scratch folder not be used.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
}

/// What every part of the manager works with.
#[derive(Clone)]
struct Context {
    client: Client,
    events: Events,
    fetcher: Fetcher,
    leadership: Leadership,
    args: Arc<Args>,
}

/// Runs until `shutdown`.
pub async fn run(args: Args, shutdown: CancellationToken) -> Result<(), Error> {
    let client = client::connect().await?;
    let context = Context {
        events: Events::new(client.clone(), ostler_crds::names::MANAGER_FIELD_MANAGER, &args.identity),
        fetcher: Fetcher::new(&args.image)?,
        client,
        leadership: Leadership::default(),
        args: Arc::new(args),
    };
    images::empty_scratch(&context.args.scratch_dir)
        .map_err(|e| Error::Io(format!("scratch folder {}", context.args.scratch_dir.display()), e))?;
    let ready = Ready::default();
    let served =
        health::serve(context.args.health_addr, ready.clone(), Arc::new(Registry::default()), shutdown.clone());
    let health = async { served.await.map_err(|e| Error::Io(context.args.health_addr.to_string(), e)) };
    let work = async {
        Box::pin(elect::run(&context, ready, shutdown)).await;
        Ok(())
    };
    tokio::try_join!(health, work).map(|_| ())
}
