//! House rules that no compiler checks. Every check runs, so that one run tells all that is wrong.

mod arrows;
mod files;
mod metadata;
mod reasons;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

/// Runs all checks and says what is wrong.
#[allow(clippy::print_stderr)]
pub fn run(root: &Path) -> Result<ExitCode> {
    let mut wrong = Vec::new();
    wrong.extend(crate::crds::run(root, true).err().map(|e| e.to_string()));
    wrong.extend(arrows::check(root)?);
    wrong.extend(files::check(root)?);
    wrong.extend(reasons::check(root)?);
    for problem in &wrong {
        eprintln!("check: {problem}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
