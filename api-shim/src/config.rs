//! Command line and environment: each flag is also read from `OSTLER_<FLAG>`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::keystone::administration::ClusterRoles;

/// OpenStack-compatible front of Ostler.
#[derive(Debug, Parser)]
#[command(name = "api-shim", version, about)]
pub struct Cli {
    /// Form of the log.
    #[arg(long, env = "OSTLER_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text an event.
    Text,
    /// One JSON object an event.
    Json,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the OpenStack APIs.
    Serve(Box<ServeArgs>),
    /// Read a password from standard input and print its argon2id hash for a user's Secret.
    HashPassword,
    /// Print an openrc file for a user.
    Openrc(OpenrcArgs),
    /// Print the Role of Kubernetes that gives IAM actions, such as `ecs:servers:reboot` or `ims:images:*`.
    Iam(IamArgs),
}

/// What `serve` needs.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Namespace of the release: users and token keys are Secrets in it.
    #[arg(long, env = "OSTLER_NAMESPACE")]
    pub namespace: String,
    /// Address of the OpenStack APIs (HTTP).
    #[arg(long, env = "OSTLER_LISTEN_ADDR", default_value = "0.0.0.0:8080")]
    pub listen_addr: SocketAddr,
    /// URL under which clients reach `listen-addr`, for the catalog and links. Default: the request's Host header.
    #[arg(long, env = "OSTLER_PUBLIC_URL")]
    pub public_url: Option<Url>,
    /// Address of the image stream for node roles (HTTPS). Needs `tls-cert` and `tls-key`.
    #[arg(long, env = "OSTLER_STREAM_ADDR", default_value = "0.0.0.0:8443")]
    pub stream_addr: SocketAddr,
    /// PEM certificate chain of the image stream. Without it the stream is not served.
    #[arg(long, env = "OSTLER_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// PEM key of the image stream.
    #[arg(long, env = "OSTLER_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Folder of uploaded images. All replicas must see the same one.
    #[arg(long, env = "OSTLER_IMAGE_DIR", default_value = "/var/lib/ostler/images")]
    pub image_dir: PathBuf,
    /// Largest upload, in bytes.
    #[arg(long, env = "OSTLER_IMAGE_SIZE_LIMIT", default_value_t = 64 << 30)]
    pub image_size_limit: u64,
    /// File with a ServiceAccount token of audience `ostler.compute.ostler.dev`, shown to node roles.
    #[arg(long, env = "OSTLER_TOKEN_FILE", default_value = "/var/run/secrets/ostler/token")]
    pub token_file: PathBuf,
    /// Address of /healthz, /readyz and /metrics.
    #[arg(long, env = "OSTLER_HEALTH_ADDR", default_value = "0.0.0.0:8081")]
    pub health_addr: SocketAddr,
    /// Region in the catalog.
    #[arg(long, env = "OSTLER_REGION", default_value = "RegionOne")]
    pub region: String,
    /// How long an issued token is good for, in seconds.
    #[arg(long, env = "OSTLER_TOKEN_LIFETIME", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(60..=86_400))]
    pub token_lifetime: u32,
    /// ClusterRole of Keystone's role `reader`. With it and the next three administrators make projects, users and roles
    /// through Keystone; without, with kubectl.
    #[arg(long, env = "OSTLER_VIEW_ROLE", requires_all = ["edit_role", "admin_role", "identity_admin_role"])]
    pub view_role: Option<String>,
    /// ClusterRole that the role `member` gives besides.
    #[arg(long, env = "OSTLER_EDIT_ROLE", requires = "view_role")]
    pub edit_role: Option<String>,
    /// ClusterRole of the role `admin`.
    #[arg(long, env = "OSTLER_ADMIN_ROLE", requires = "view_role")]
    pub admin_role: Option<String>,
    /// ClusterRole that the role `admin` gives besides.
    #[arg(long, env = "OSTLER_IDENTITY_ADMIN_ROLE", requires = "view_role")]
    pub identity_admin_role: Option<String>,
}

impl ServeArgs {
    /// What Keystone's roles are in Kubernetes.
    pub fn cluster_roles(&self) -> Option<ClusterRoles> {
        Some(ClusterRoles {
            view: self.view_role.clone()?,
            edit: self.edit_role.clone()?,
            admin: self.admin_role.clone()?,
            identity_admin: self.identity_admin_role.clone()?,
        })
    }
}

/// What `openrc` prints.
#[derive(Debug, Clone, Args)]
pub struct OpenrcArgs {
    /// URL of the shim.
    #[arg(long, env = "OSTLER_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    pub public_url: Url,
    /// User name.
    #[arg(long)]
    pub user: String,
    /// Project: a namespace with the project label.
    #[arg(long)]
    pub project: String,
    /// Region in the catalog.
    #[arg(long, env = "OSTLER_REGION", default_value = "RegionOne")]
    pub region: String,
}

/// What `iam` prints.
#[derive(Debug, Clone, Args)]
pub struct IamArgs {
    /// Actions; `*` stands for any part of a name. Without one, all known actions are listed.
    pub actions: Vec<String>,
    /// Name of the Role.
    #[arg(long, default_value = "iam")]
    pub name: String,
    /// Namespace of the Role: the project. Without one kubectl's own is meant.
    #[arg(long)]
    pub namespace: Option<String>,
}
