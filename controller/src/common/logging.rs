//! Logs to standard error, as text or JSON; the level comes from `RUST_LOG`.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How to log.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "logging")]
pub struct Args {
    /// Form of a log line. The level comes from RUST_LOG (default: info).
    #[arg(long, env = "OSTLER_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    log_format: Format,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// Installs the subscriber. A second call changes nothing.
pub fn start(args: &Args) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let done = match args.log_format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().try_init(),
    };
    if let Err(error) = done {
        tracing::debug!("logs were started before: {error}");
    }
}
