//! The controller with the points at which the crash tests end it (tests/crash). Built with the feature `fail-points` only.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Reads FAILPOINTS.
    let _scenario = fail::FailScenario::setup();
    ostler_controller::command_line::run().await
}
