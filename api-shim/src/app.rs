//! What lives as long as the process.

use std::sync::Arc;

use kube::Client;
use url::Url;

use crate::{
    authenticate::Authenticator, authorize::Authorizer, config::ServeArgs, keystone::administration::ClusterRoles,
    observe::Metrics, store::Stores, store::files::ImageFiles, streams::console::NodeStreams,
};

/// Settings that handlers look at.
#[derive(Debug, Clone)]
pub struct Settings {
    /// URL for links; `None`: from the Host header.
    pub public_url: Option<Url>,
    /// Region in the catalog.
    pub region: String,
    /// What Keystone's roles are in Kubernetes; `None`: Keystone administers nothing.
    pub cluster_roles: Option<ClusterRoles>,
}

/// Everything that a request may need.
pub struct App {
    /// Settings.
    pub settings: Settings,
    /// Kubernetes.
    pub client: Client,
    /// The caches.
    pub stores: Arc<Stores>,
    /// Who is calling.
    pub authenticator: Authenticator,
    /// What a caller may do.
    pub authorizer: Authorizer,
    /// Uploaded images.
    pub files: ImageFiles,
    /// Console logs from node roles.
    pub nodes: NodeStreams,
    /// What is counted.
    pub metrics: Metrics,
}

impl App {
    /// Puts the parts together and starts the watches.
    pub fn new(args: &ServeArgs, client: Client) -> Arc<Self> {
        let metrics = Metrics::default();
        let stores = Stores::start(&client, &args.namespace);
        Arc::new(Self {
            settings: Settings {
                public_url: args.public_url.clone(),
                region: args.region.clone(),
                cluster_roles: args.cluster_roles(),
            },
            authenticator: Authenticator::new(
                client.clone(),
                args.namespace.clone(),
                stores.clone(),
                args.token_lifetime,
                metrics.clone(),
            ),
            authorizer: Authorizer::new(client.clone(), metrics.clone()),
            files: ImageFiles::new(args.image_dir.clone(), args.image_size_limit),
            nodes: NodeStreams::new(args.token_file.clone()),
            client,
            stores,
            metrics,
        })
    }
}
