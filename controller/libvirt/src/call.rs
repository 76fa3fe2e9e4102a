//! Calls into libvirt: on blocking threads, a few at once, each with a deadline.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ostler_hypervisor::{ErrorClass, HypervisorError};
use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use crate::{link::Link, session::Session};

/// libvirtd serves five requests of a client at once (`max_client_requests`); one is left for keepalive.
const AT_ONCE: usize = 4;

/// Runs closures with the session of a link.
pub(crate) struct Caller {
    link: Arc<Link>,
    permits: Arc<Semaphore>,
    networks: Arc<Mutex<()>>,
}

impl Caller {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link, permits: Arc::new(Semaphore::new(AT_ONCE)), networks: Arc::default() }
    }

    /// Held while a network is read and then changed.
    pub(crate) fn network_lock(&self) -> Arc<Mutex<()>> {
        self.networks.clone()
    }

    /// Runs `work` with the session, or fails with [`ErrorClass::Unreachable`] when there is none.
    ///
    /// After `limit` the caller gets [`ErrorClass::Timeout`]. The work itself cannot be stopped: it keeps its permit
    /// until libvirt returns, so a hanging libvirtd never gets more than [`AT_ONCE`] requests.
    pub(crate) async fn call<T, F>(&self, limit: Duration, work: F) -> Result<T, HypervisorError>
    where
        T: Send + 'static,
        F: FnOnce(&Session) -> Result<T, HypervisorError> + Send + 'static,
    {
        let deadline = Instant::now() + limit;
        let late = |_| HypervisorError::new(ErrorClass::Timeout, format!("libvirt did not answer within {limit:?}"));
        let permit = timeout_at(deadline, self.permits.clone().acquire_owned()).await.map_err(late)?;
        let permit = permit.map_err(|_| HypervisorError::new(ErrorClass::Unreachable, "the caller is closed"))?;
        let link = self.link.clone();
        let work = spawn_blocking(move || {
            let _permit = permit;
            let session = link.session()?;
            let result = work(&session);
            if matches!(&result, Err(error) if error.class == ErrorClass::Unreachable) {
                link.broken(&session);
            }
            result
        });
        timeout_at(deadline, work).await.map_err(late)?.unwrap_or_else(|died| {
            Err(HypervisorError::new(ErrorClass::Refused, format!("the call into libvirt died: {died}")))
        })
    }
}
