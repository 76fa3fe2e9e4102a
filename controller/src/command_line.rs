//! The command line: `controller manager` and `controller node`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    common::{logging, shutdown},
    manager, node,
};

/// Ostler's controller: runs KVM guests as Kubernetes objects.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    logging: logging::Args,
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Places Servers on Hosts, gives out addresses and checks Images. Run as a Deployment; one replica leads.
    Manager(manager::Args),
    /// Runs the guests of this machine through the local libvirt socket. Run as a DaemonSet.
    Node(Box<node::Args>),
}

/// Does what the command line says, until it has ended.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    logging::start(&cli.logging);
    // ring is the only provider that is linked; rustls asks to be told.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::warn!("a TLS provider was installed before");
    }
    let shutdown = shutdown::on_signal();
    let result: anyhow::Result<()> = match cli.role {
        Role::Manager(args) => Box::pin(manager::run(args, shutdown)).await.map_err(Into::into),
        Role::Node(args) => node::run(*args, shutdown).await.map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        super::Cli::command().debug_assert();
    }
}
