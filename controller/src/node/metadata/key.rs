//! The key that seals session tokens: made once, kept in the state folder, so that tokens outlive a restart.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ostler_engine::guest::metadata::token::KEY_LENGTH;
use rand::{TryRngCore, rngs::OsRng};
use thiserror::Error;

/// The key cannot be had.
#[derive(Debug, Error)]
#[error("the key of the metadata service's tokens, {0}: {1}")]
pub struct KeyError(PathBuf, io::Error);

/// Reads the key, or makes one. The caller holds the host's lock.
pub fn load(path: &Path) -> Result<[u8; KEY_LENGTH], KeyError> {
    let failed = |error| KeyError(path.to_owned(), error);
    match fs::read(path) {
        // One that a crash cut short sealed nothing yet.
        Ok(bytes) => match bytes.try_into() {
            Ok(key) => Ok(key),
            Err(_) => make(path).map_err(failed),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

fn make(path: &Path) -> io::Result<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    OsRng.try_fill_bytes(&mut key).map_err(io::Error::other)?;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_anew_when_it_was_cut_short() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let key = load(&path).unwrap();
        assert_eq!(load(&path).unwrap(), key);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, b"short").unwrap();
        assert_ne!(load(&path).unwrap(), key);
    }
}
