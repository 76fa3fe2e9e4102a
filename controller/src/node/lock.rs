//! One node role a host: two would undo each other's work.

use std::{
    fs::{File, TryLockError},
    io,
    path::PathBuf,
};

use thiserror::Error;

/// Held for as long as this node role runs; the kernel takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct HostLock {
    _file: File,
}

/// The lock could not be had.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another node role has it.
    #[error("another node role runs on this host: it holds {0}; stop it first")]
    Held(PathBuf),
    /// The file could not be opened or locked.
    #[error("cannot lock {0}: {1}")]
    Io(PathBuf, io::Error),
}

/// Takes the lock, without waiting.
pub fn take(path: PathBuf) -> Result<HostLock, LockError> {
    let file = File::create(&path).map_err(|e| LockError::Io(path.clone(), e))?;
    match file.try_lock() {
        Ok(()) => Ok(HostLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(LockError::Held(path)),
        Err(TryLockError::Error(e)) => Err(LockError::Io(path, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = take(path.clone()).unwrap();
        assert!(matches!(take(path.clone()), Err(LockError::Held(_))));
        drop(first);
        take(path).unwrap();
    }
}
