//! The link to libvirtd: one thread that connects, waits for the end, and connects again.
//!
//! ```text
//!                ┌───────────── backoff ◄── failed ──┐
//!                ▼                                   │
//!   start ──► connecting ── opened ──► up ── closed, broken ──► down (sinks: Disconnected)
//!                                      │
//!                                 sinks: Resync
//! ```

mod backoff;

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use ostler_hypervisor::{ErrorClass, GuestEvent, GuestId, HypervisorError};

use self::backoff::Backoff;
use crate::{
    callback::{Listener, Registration},
    error::failed,
    session::Session,
};

type Sink = Arc<dyn Fn(GuestEvent) + Send + Sync>;

/// How long the first calls wait for the first attempt to connect.
const FIRST_ATTEMPT: Duration = Duration::from_secs(5);

/// The link, shared by its thread, the callers and the callbacks.
pub(crate) struct Link {
    state: Mutex<State>,
    changed: Condvar,
    sinks: Mutex<Vec<Sink>>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    /// Counts sessions, so that a late callback of an old one does not end the new one.
    generation: u64,
    broken: bool,
    stopped: bool,
    /// Why there is no session; `None` before the first attempt.
    failure: Option<HypervisorError>,
}

/// Hears one session's callbacks.
struct Ear {
    link: Weak<Link>,
    generation: u64,
}

impl Listener for Ear {
    fn changed(&self, guest: GuestId) {
        if let Some(link) = self.link.upgrade() {
            link.tell(GuestEvent::Changed(guest));
        }
    }

    fn closed(&self) {
        if let Some(link) = self.link.upgrade() {
            link.end(|state| state.generation == self.generation);
        }
    }
}

impl Link {
    /// Starts the thread, which connects to `uri` until [`Link::stop`].
    pub(crate) fn start(uri: String) -> Result<Arc<Self>, HypervisorError> {
        let link = Arc::new(Self { state: Mutex::default(), changed: Condvar::new(), sinks: Mutex::default() });
        let kept = link.clone();
        let thread = thread::Builder::new().name("libvirt-link".into()).spawn(move || kept.keep(&uri));
        thread.map_err(|error| HypervisorError::new(ErrorClass::Refused, format!("cannot start a thread: {error}")))?;
        Ok(link)
    }

    /// Ends the thread and the session. Calls that hold the session finish.
    pub(crate) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }

    /// The session; before the first attempt to connect has ended, waits for that a little.
    pub(crate) fn session(&self) -> Result<Arc<Session>, HypervisorError> {
        let state = lock(&self.state);
        let undecided = |state: &mut State| state.session.is_none() && state.failure.is_none() && !state.stopped;
        let waited = self.changed.wait_timeout_while(state, FIRST_ATTEMPT, undecided);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let unknown = || HypervisorError::new(ErrorClass::Unreachable, "libvirtd did not answer yet");
        state.session.clone().ok_or_else(|| state.failure.clone().unwrap_or_else(unknown))
    }

    /// A call found that the session is of no use any more.
    pub(crate) fn broken(&self, session: &Arc<Session>) {
        self.end(|state| state.session.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)));
    }

    /// Calls `sink` with every event from now on, and first with where things stand.
    pub(crate) fn subscribe(&self, sink: Box<dyn Fn(GuestEvent) + Send + Sync>) {
        let sink: Sink = Arc::from(sink);
        // Listed before asking: an event in between is told twice rather than not at all.
        lock(&self.sinks).push(sink.clone());
        let up = lock(&self.state).session.is_some();
        sink(if up { GuestEvent::Resync } else { GuestEvent::Disconnected });
    }

    fn end(&self, applies: impl Fn(&State) -> bool) {
        let mut state = lock(&self.state);
        if applies(&state) {
            state.broken = true;
            self.changed.notify_all();
        }
    }

    /// Sinks are called without a lock, so they may subscribe others.
    fn tell(&self, event: GuestEvent) {
        let sinks = lock(&self.sinks).clone();
        for sink in sinks {
            sink(event);
        }
    }

    fn keep(self: Arc<Self>, uri: &str) {
        let mut backoff = Backoff::default();
        while !lock(&self.state).stopped {
            match self.open(uri) {
                Ok(registration) => {
                    let since = Instant::now();
                    tracing::info!(uri, "connected to libvirt");
                    self.tell(GuestEvent::Resync);
                    self.wait(None);
                    self.close(registration);
                    backoff.succeeded(since.elapsed());
                }
                Err(error) => {
                    let news = lock(&self.state).failure.replace(error.clone()).as_ref() != Some(&error);
                    self.changed.notify_all();
                    if news {
                        tracing::warn!(uri, %error, "libvirt is unreachable; trying on");
                    }
                }
            }
            self.wait(Some(backoff.next()));
        }
    }

    /// Opens a session, registers for its events, and publishes it.
    fn open(self: &Arc<Self>, uri: &str) -> Result<Registration, HypervisorError> {
        let unreachable = |error| HypervisorError { class: ErrorClass::Unreachable, ..failed("reach libvirt")(error) };
        let session = Session::open(uri).map_err(unreachable)?;
        let generation = {
            let mut state = lock(&self.state);
            state.generation += 1;
            state.broken = false;
            state.generation
        };
        let ear: Arc<dyn Listener> = Arc::new(Ear { link: Arc::downgrade(self), generation });
        let registration = Registration::new(&session.connect, &ear).map_err(unreachable)?;
        lock(&self.state).session = Some(Arc::new(session));
        self.changed.notify_all();
        Ok(registration)
    }

    fn close(&self, registration: Registration) {
        let session = {
            let mut state = lock(&self.state);
            state.failure = Some(HypervisorError::new(ErrorClass::Unreachable, "the connection to libvirt was lost"));
            state.session.take()
        };
        if !lock(&self.state).stopped {
            tracing::warn!("the connection to libvirt was lost");
            self.tell(GuestEvent::Disconnected);
        }
        drop(registration);
        drop(session);
    }

    /// Waits until stopped, or broken (while up), or for `limit` (while down).
    fn wait(&self, limit: Option<Duration>) {
        let state = lock(&self.state);
        match limit {
            None => drop(self.changed.wait_while(state, |state| !state.broken && !state.stopped)),
            Some(limit) => drop(self.changed.wait_timeout_while(state, limit, |state| !state.stopped)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
