//! `api-shim`: the OpenStack front door.

use clap::Parser;
use ostler_api_shim::{
    commands,
    config::{Cli, Command},
    observe, serve,
};

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Command::HashPassword => commands::hash_password(std::io::stdin().lock(), std::io::stdout()),
        Command::Openrc(args) => commands::openrc(&args, std::io::stdout()),
        Command::Iam(args) => commands::iam::iam(&args, std::io::stdout()),
        Command::Serve(args) => {
            observe::start_logging(cli.log_format);
            rustls::crypto::ring::default_provider()
                .install_default()
                .map_err(|_| anyhow::anyhow!("a TLS provider is installed already"))?;
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve::serve(*args))
        }
    }
}
