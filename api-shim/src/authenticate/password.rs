//! Passwords: argon2id, off the async threads, a few at a time.

use std::{sync::Arc, time::Duration};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fault::Fault;

/// Hashes of this cost (argon2id, 19 MiB, 2 passes) run at once; each holds a core for some 20 ms.
const AT_ONCE: usize = 2;
/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// A hash that no password has, at the cost of `hash-password`; stands in where no user has any.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$b3N0bGVyLW5vYm9keSE$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks passwords.
pub struct Verifier(Arc<Semaphore>);

impl Default for Verifier {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// A turn at checking a password; few are given at once.
pub struct Turn(#[allow(dead_code)] OwnedSemaphorePermit);

impl Verifier {
    /// Waits for a turn.
    pub async fn turn(&self) -> Result<Turn, Fault> {
        let permit = tokio::time::timeout(PATIENCE, self.0.clone().acquire_owned()).await;
        match permit {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            _ => Err(Fault::unavailable("Too many logins at once; try again.")),
        }
    }
}

impl Turn {
    /// Whether `password` has `hash`. Without a hash the same work is done and the answer is no. The turn comes back, to be
    /// held until the failure is noted.
    pub async fn verify(self, password: String, hash: Option<String>) -> Result<(bool, Self), Fault> {
        let checked =
            tokio::task::spawn_blocking(move || (matches(&password, hash.as_deref().unwrap_or(NOBODY)), self));
        checked.await.map_err(|e| Fault::internal("verify password", &e))
    }
}

impl Turn {
    /// The PHC string of a password.
    pub async fn hash(self, password: String) -> Result<String, Fault> {
        let hashed = tokio::task::spawn_blocking(move || (hash(&password), self)).await;
        let (hash, _turn) = hashed.map_err(|e| Fault::internal("hash password", &e))?;
        hash.map_err(|e| Fault::internal("hash password", &e))
    }
}

/// Whether `password` has the PHC string `hash`; a string that is none has no password.
pub fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// The PHC string of a password, for a user's Secret.
pub fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_hash_and_no_other() {
        let h = hash("secret").unwrap();
        assert!(h.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(matches("secret", &h));
        assert!(!matches("Secret", &h));
        assert!(!matches("secret", "not a hash"));
    }

    #[test]
    fn the_stand_in_costs_as_much_as_a_real_hash_and_matches_nothing() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!matches("", NOBODY));
        let cost = |f: &str, h: &str| {
            let start = std::time::Instant::now();
            let _ = matches(f, h);
            start.elapsed()
        };
        let real = hash("x").unwrap();
        let (a, b) = (cost("y", &real), cost("y", NOBODY));
        assert!(a < b * 10 && b < a * 10, "{a:?} {b:?}");
    }
}
