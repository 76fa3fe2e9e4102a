//! The API server's client, as kube makes it, but for one thing: no request waits for ever. An API server that stands
//! still, or a network that swallows packets, would hold up a pass, a heartbeat or an election for as long as TCP tries.

use std::time::Duration;

use kube::{Client, Config, client::ClientBuilder};
use tower::timeout::TimeoutLayer;

/// How long the API server may take to begin its answer. A watch begins at once and may then last.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A client by `KUBECONFIG` or the pod's ServiceAccount. Fails without either; whether the API server is there does not
/// matter.
pub async fn connect() -> Result<Client, kube::Error> {
    of(Config::infer().await.map_err(kube::Error::InferConfig)?)
}

/// A client by these settings.
pub fn of(config: Config) -> Result<Client, kube::Error> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&TimeoutLayer::new(ANSWER_WITHIN)).build())
}
