//! Where things lie in the checkout and in the target folder.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

/// The root of the checkout: cargo tells where the tests that it runs are, whatever checkout this crate was built in.
pub fn repository() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = package.ancestors().find(|dir| dir.join("Cargo.lock").is_file());
    root.unwrap_or(&package).to_owned()
}

/// One of our binaries (`controller`, `api-shim`) from the target folder that this test was built into.
///
/// # Errors
/// It was not built; `cargo build --workspace` builds all.
pub fn binary(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("own executable")?;
    // target/debug/deps/test-0123 → target/debug/NAME; a program lies there itself.
    let folder = test.parent().context("the test does not lie in a target folder")?;
    let profile = folder.parent().filter(|_| folder.ends_with("deps")).unwrap_or(folder);
    let path = profile.join(name);
    ensure!(path.is_file(), "{} does not exist: run `cargo build --workspace` first", path.display());
    Ok(path)
}
