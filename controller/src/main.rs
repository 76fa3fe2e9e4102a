//! `controller manager` and `controller node`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    ostler_controller::command_line::run().await
}
