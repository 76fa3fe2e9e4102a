//! The test guest: a tiny bootable image that prints a ready line, built once into the cache by tests/guest-image.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::paths::repository;
use crate::script::output;

/// The image and its digest.
#[derive(Debug, Clone)]
pub struct GuestImage {
    path: PathBuf,
    sha256: String,
}

impl GuestImage {
    /// Builds it, or finds it in the cache.
    ///
    /// # Errors
    /// It cannot be built; the error has the end of the build's messages.
    pub fn get() -> Result<Self> {
        let path = PathBuf::from(output(&mut Command::new(repository().join("tests/guest-image/build.sh")))?);
        let sha256 = sha256_of(&path)?;
        Ok(Self { path, sha256 })
    }

    /// The qcow2 file. Do not change it: it is shared.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its digest in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// The SHA-256 of a file in hexadecimal.
///
/// # Errors
/// The file cannot be read.
pub fn sha256_of(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(&buffer[..n]);
    }
}
