//! Images on their way to this host, each in a task of its own. A pass asks for one and is made again when it is there, or
//! cannot be had: it neither waits for a web server nor keeps other guests' passes from being made.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ostler_engine::guest::{Failure, FailureKind, Retry};
use ostler_hypervisor::{GuestEvent, GuestId, StorageStep};

use crate::common::crash;

use super::{metrics::Metrics, pass::SAFETY_NET, retry::Retries, signals::Signals, storage::Storage, watch::Servers};

/// How often a fetch looks whether anybody still waits for it. It may take hours.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Fetches under way, and those that failed a short time ago.
pub struct Fetches(Arc<Shared>);

struct Shared {
    storage: Arc<Storage>,
    servers: Servers,
    signals: Signals,
    metrics: Metrics,
    retries: Retries,
    all: Mutex<HashMap<Source, Fetch>>,
}

/// Which bytes, and where from. The same bytes from two places are two fetches: nobody has to wait for another one's slow
/// server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Source {
    sha256: String,
    size: u64,
    format: &'static str,
    /// The URL, or the id of the Image of which the shim has the bytes.
    place: String,
}

enum Fetch {
    /// With the guests that wait for it, by their Servers' uids.
    UnderWay(HashMap<String, GuestId>),
    Failed {
        failure: Failure,
        until: Instant,
    },
}

/// What a pass is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is on its way; a signal comes when it has ended.
    UnderWay,
    /// It cannot be had; it is tried again when this time is over.
    Failed(Failure, Duration),
}

impl Fetches {
    /// Fetches into `storage` for those of `servers` that ask, and tells `signals`.
    pub fn new(storage: Arc<Storage>, servers: Servers, signals: Signals, metrics: Metrics) -> Self {
        let (retries, all) = (Retries::default(), Mutex::default());
        Self(Arc::new(Shared { storage, servers, signals, metrics, retries, all }))
    }

    /// Asks for an image on behalf of a guest and its Server's uid. `None`: the step is no fetch.
    pub fn ask(&self, step: &StorageStep, uid: &str, guest: GuestId) -> Option<Answer> {
        let source = Source::of(step)?;
        let now = Instant::now();
        let mut all = self.0.all();
        all.retain(|_, fetch| !matches!(fetch, Fetch::Failed { until, .. } if *until <= now));
        match all.get_mut(&source) {
            Some(Fetch::Failed { failure, until }) => {
                return Some(Answer::Failed(failure.clone(), until.saturating_duration_since(now)));
            }
            Some(Fetch::UnderWay(waiting)) => drop(waiting.insert(uid.to_owned(), guest)),
            None => {
                all.insert(source.clone(), Fetch::UnderWay(HashMap::from([(uid.to_owned(), guest)])));
                tokio::spawn(run(Arc::clone(&self.0), source, step.clone()));
            }
        }
        Some(Answer::UnderWay)
    }
}

impl Source {
    fn of(step: &StorageStep) -> Option<Self> {
        let StorageStep::FetchImage { image, sha256, size, format, url } = step else { return None };
        let place = url.as_ref().unwrap_or(image).clone();
        Some(Self { sha256: sha256.clone(), size: *size, format: format.as_str(), place })
    }
}

async fn run(shared: Arc<Shared>, source: Source, step: StorageStep) {
    let failure = Failure::new(FailureKind::Interrupted, "cannot fetch the image", "it was cut off".to_owned());
    let mut ending = Ending { shared, source, began: Instant::now(), ended: Some(Err(failure)) };
    let ended = tokio::select! {
        fetched = ending.shared.storage.execute(&step, "") => Some(fetched),
        () = ending.shared.unwanted(&ending.source) => None,
    };
    crash::point("fetched");
    ending.ended = ended;
}

impl Shared {
    /// Waits until all Servers that wait are being deleted, or gone.
    async fn unwanted(&self, source: &Source) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let waiting: Vec<String> = match self.all().get(source) {
                Some(Fetch::UnderWay(waiting)) => waiting.keys().cloned().collect(),
                Some(Fetch::Failed { .. }) | None => Vec::new(),
            };
            let wanted =
                |uid: &String| self.servers.by_uid(uid).is_some_and(|s| s.metadata.deletion_timestamp.is_none());
            if !waiting.iter().any(wanted) {
                return;
            }
        }
    }

    /// Who waits for these bytes now that `ended` is known. `None`: nobody wanted them any more.
    fn end(&self, source: &Source, ended: Option<Result<(), Failure>>) -> Vec<GuestId> {
        let key = format!("{} {}", source.sha256, source.place);
        let mut all = self.all();
        let mut woken = match all.remove(source) {
            Some(Fetch::UnderWay(waiting)) => waiting,
            Some(Fetch::Failed { .. }) | None => HashMap::new(),
        };
        match ended {
            None => {}
            Some(Ok(())) => {
                self.retries.succeeded(&key);
                // Whoever waits for the same bytes from elsewhere has them too, and that fetch ends for want of waiters.
                for (other, fetch) in all.iter_mut() {
                    if let Fetch::UnderWay(waiting) = fetch
                        && other.sha256 == source.sha256
                    {
                        woken.extend(waiting.drain());
                    }
                }
            }
            Some(Err(failure)) => {
                let rest = match failure.kind.retry() {
                    Retry::Soon => self.retries.soon(&key),
                    Retry::Slowly => self.retries.slowly(&key),
                    Retry::OnChange => SAFETY_NET / 2,
                };
                all.insert(source.clone(), Fetch::Failed { failure, until: Instant::now() + rest });
            }
        }
        woken.into_values().collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Source, Fetch>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of the end of a fetch, however it ends: guests that nobody wakes would wait for minutes.
struct Ending {
    shared: Arc<Shared>,
    source: Source,
    began: Instant,
    ended: Option<Result<(), Failure>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let ended = self.ended.take();
        let sha256 = self.source.sha256.as_str();
        if let Some(result) = &ended {
            let failure = result.as_ref().err();
            self.shared.metrics.step("fetch_image", failure.map(|f| f.kind), self.began.elapsed());
            if let Some(failure) = failure {
                tracing::warn!(sha256, kind = failure.kind.label(), cause = failure.cause, "an image was not fetched");
            }
        } else {
            tracing::info!(sha256, "nobody waits for the image any more");
        }
        for guest in self.shared.end(&self.source, ended) {
            self.shared.signals.tell(GuestEvent::Changed(guest));
        }
    }
}

#[cfg(test)]
mod tests;
