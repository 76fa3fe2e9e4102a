//! When to try again after a failure.

use std::time::Duration;

use crate::common::backoff::Backoff;

/// Waits by the Server's uid.
pub struct Retries {
    soon: Backoff<String>,
    slowly: Backoff<String>,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            soon: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
            slowly: Backoff::new(Duration::from_secs(10), Duration::from_secs(300)),
        }
    }
}

impl Retries {
    /// After a failure that often passes by itself.
    pub fn soon(&self, uid: &str) -> Duration {
        self.soon.failed(&uid.to_owned())
    }

    /// After a failure that seldom passes by itself.
    pub fn slowly(&self, uid: &str) -> Duration {
        self.slowly.failed(&uid.to_owned())
    }

    /// All is well.
    pub fn succeeded(&self, uid: &str) {
        self.soon.succeeded(&uid.to_owned());
        self.slowly.succeeded(&uid.to_owned());
    }
}
