//! One order, from beginning to end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ostler_hypervisor::{GuestEvent, Hypervisor};
use tokio_util::sync::CancellationToken;

use crate::common::crash;

use super::{Phase, Shared, Subject, copy, failure::Failed, upload};

/// For how long failures that pass by themselves are borne. A client waits, and the guest can do little else meanwhile.
const PATIENCE: Duration = Duration::from_secs(600);
/// Waits between two tries: the first, and the longest.
const RESTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How often a task looks whether its order still stands.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Runs until the order is done, has failed, or stands no more.
pub(super) async fn run<H: Hypervisor>(shared: Arc<Shared<H>>, subject: Subject, stop: CancellationToken) {
    let mut ending = Ending { shared: Arc::clone(&shared), subject: subject.clone(), ended: None };
    let Some(order) = &subject.order else {
        if let Err(error) = copy::tidy(&shared, &subject).await {
            tracing::warn!(uid = subject.uid, cause = error.message(), "what a crash left of a copy stays for now");
        }
        return;
    };
    let began = Instant::now();
    let ended = tokio::select! {
        ended = patiently(&shared, &subject) => Some(ended),
        () = unwanted(&shared, &subject, &order.uid) => None,
        () = stop.cancelled() => None,
    };
    // Whatever came of it, nothing of it stays on the host. Should that fail, the mark is there for the next try.
    if let Err(error) = copy::tidy(&shared, &subject).await {
        tracing::warn!(uid = subject.uid, cause = error.message(), "a copy of a disk was not removed");
    }
    let failure = ended.as_ref().and_then(|e| e.as_ref().err()).map(Failed::kind);
    shared.metrics.step("make_image", failure, began.elapsed());
    match &ended {
        None => tracing::info!(uid = subject.uid, image = order.image, "the image is not wanted any more"),
        Some(Ok(())) => {
            tracing::info!(uid = subject.uid, image = order.image, took = ?began.elapsed(), "an image was made")
        }
        Some(Err(failed)) => {
            tracing::warn!(uid = subject.uid, image = order.image, cause = failed.message(), "an image was not made");
        }
    }
    crash::point("copy removed");
    ending.ended = ended;
}

async fn patiently<H: Hypervisor>(shared: &Shared<H>, subject: &Subject) -> Result<(), Failed> {
    let (began, mut rest) = (Instant::now(), RESTS.0);
    loop {
        match once(shared, subject).await {
            Err(Failed::Needless) | Ok(()) => return Ok(()),
            Err(failed) if failed.passes() && began.elapsed() < PATIENCE => {
                tracing::info!(uid = subject.uid, cause = failed.message(), "trying again in {rest:?}");
                shared.enter(subject, Phase::Preparing);
                tokio::time::sleep(rest).await;
                rest = (rest * 2).min(RESTS.1);
            }
            Err(failed) => return Err(failed),
        }
    }
}

async fn once<H: Hypervisor>(shared: &Shared<H>, subject: &Subject) -> Result<(), Failed> {
    let Some(order) = &subject.order else { return Ok(()) };
    // The semaphore is never closed.
    let _turn = shared.turns.acquire().await.ok();
    copy::tidy(shared, subject).await?;
    // Before anything is copied: the front may have the bytes already, and no room for others.
    upload::announce(&shared.front, &subject.namespace, order).await?;
    crash::point("announced");
    let copy = copy::make(shared, subject).await?;
    crash::point("copied");
    shared.enter(subject, Phase::Uploading);
    upload::upload(&shared.front, &subject.namespace, order, &copy).await?;
    crash::point("uploaded");
    Ok(())
}

/// Waits until the order stands no more.
async fn unwanted<H>(shared: &Shared<H>, subject: &Subject, image_uid: &str) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let server = shared.servers.by_uid(&subject.uid).filter(|s| s.metadata.deletion_timestamp.is_none());
        let orders = server.and_then(|s| s.status).map(|s| s.snapshots).unwrap_or_default();
        if !orders.iter().any(|order| order.uid == image_uid) {
            return;
        }
    }
}

impl<H> Shared<H> {
    /// Notes how far the task is. A pass tells of it, or goes on with what waited for it.
    pub(super) fn enter(&self, subject: &Subject, phase: Phase) {
        if let Some(work) = self.all().get_mut(&subject.uid).and_then(|entry| entry.work.as_mut()) {
            work.phase = phase;
        }
        if phase != Phase::Reading {
            self.signals.tell(GuestEvent::Changed(subject.guest));
        }
    }
}

/// Tells of the end of a task, however it ends.
struct Ending<H> {
    shared: Arc<Shared<H>>,
    subject: Subject,
    ended: Option<Result<(), Failed>>,
}

impl<H> Drop for Ending<H> {
    fn drop(&mut self) {
        if let Some(entry) = self.shared.all().get_mut(&self.subject.uid) {
            entry.work = None;
            if let (Some(order), Some(ended)) = (&self.subject.order, self.ended.take()) {
                entry.ended.insert(order.uid.clone(), ended);
            }
        }
        self.shared.signals.tell(GuestEvent::Changed(self.subject.guest));
    }
}
