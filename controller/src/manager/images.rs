//! Image → status: each image from the web is fetched once and checked, so that a Server is never placed with one that
//! no host could use. The hosts fetch it again, by the digest that is written here.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use jiff::Timestamp;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
    runtime::{
        Controller,
        controller::Action,
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Image, ImageStatus,
    image::{HttpSource, ImageState},
    names::{MANAGER_FIELD_MANAGER, condition, reason},
};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Context, turns::Turns};
use crate::{
    common::backoff::Backoff,
    image::{FetchError, Fetched, Wanted},
};

/// How often a check looks whether its Image is still wanted.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time between two reports of progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

struct Checker {
    context: Context,
    changed: [Arc<Notify>; 2],
    backoff: Backoff<ObjectRef<Image>>,
    images: Store<Image>,
    turns: Turns,
}

/// Removes what a crash left in the scratch folder, and makes it if it is missing.
pub fn empty_scratch(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        // Only files of ours: the folder may be a shared one by mistake.
        if entry.file_type()?.is_file() && entry.file_name().to_string_lossy().starts_with("check-") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The controller of Images; its store is the leader's store of Images.
pub fn controller(client: &Client) -> Controller<Image> {
    Controller::new(Api::<Image>::all(client.clone()), watcher::Config::default())
}

/// Checks Images until `term`, and tells `changed` of each that is new or changed.
pub async fn run(context: &Context, controller: Controller<Image>, changed: [Arc<Notify>; 2], term: CancellationToken) {
    let checker = Arc::new(Checker {
        context: context.clone(),
        changed,
        backoff: Backoff::new(Duration::from_secs(5), Duration::from_secs(300)),
        images: controller.store(),
        turns: Turns::default(),
    });
    // Passes are not limited, but checks are: one that waits for its turn costs next to nothing.
    controller
        .graceful_shutdown_on(term.cancelled_owned())
        .run(reconcile, on_error, checker)
        .for_each(|_| std::future::ready(()))
        .await;
}

async fn reconcile(image: Arc<Image>, checker: Arc<Checker>) -> Result<Action, kube::Error> {
    if image.meta().deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    checker.changed.iter().for_each(|changed| changed.notify_one());
    let state = image.status.as_ref().and_then(|s| s.state);
    match (&image.spec.source.http, state) {
        (_, Some(ImageState::Active | ImageState::Killed)) => {
            // What was checked cannot change; what can, a name or who may use it, asks nothing of us but this.
            if let Some(status) = observed_anew(&image) {
                write(&image, &checker, status, Claim::Take).await?;
            }
            Ok(Action::await_change())
        }
        // `snapshots` sees to it.
        (None, _) if image.spec.source.server.is_some() => Ok(Action::await_change()),
        (None, None) => {
            let message = "waiting for its bytes: openstack image create --file, or the image API's upload".to_owned();
            write(&image, &checker, report(&image, ImageState::Queued, reason::AWAITING_UPLOAD, message), Claim::Leave)
                .await?;
            Ok(Action::await_change())
        }
        (None, Some(ImageState::Queued | ImageState::Saving)) => Ok(Action::await_change()),
        (Some(source), None | Some(ImageState::Queued | ImageState::Saving)) => {
            // Our own reports of progress and failure come back by the watch; they are no reason to fetch again.
            match checker.backoff.resting(&ObjectRef::from_obj(&*image)) {
                Some(left) => Ok(Action::requeue(left)),
                None => tokio::select! {
                    done = check(&image, source, &checker) => done,
                    // A change, if that is what it was, brings the Image back.
                    () = unwanted(&image, &checker.images) => Ok(Action::await_change()),
                },
            }
        }
    }
}

fn on_error(image: Arc<Image>, error: &kube::Error, checker: Arc<Checker>) -> Action {
    let wait = checker.backoff.failed(&ObjectRef::from_obj(&*image));
    tracing::warn!(image = %image.name_any(), %error, "trying again in {wait:?}");
    Action::requeue(wait)
}

/// A file that is removed however its check ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // Most often there is none.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Waits until the Image is gone, is being deleted, or is another one than was read.
async fn unwanted(image: &Image, images: &Store<Image>) {
    while still_wanted(image, images.get(&ObjectRef::from_obj(image)).as_deref()) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn still_wanted(image: &Image, now: Option<&Image>) -> bool {
    now.is_some_and(|now| {
        now.meta().uid == image.meta().uid
            && now.meta().deletion_timestamp.is_none()
            && now.spec.source == image.spec.source
            && now.spec.disk_format == image.spec.disk_format
    })
}

/// Fetches and checks one image when its turn comes, and says what came of it.
async fn check(image: &Image, source: &HttpSource, checker: &Checker) -> Result<Action, kube::Error> {
    let key = ObjectRef::from_obj(image);
    let _turn = checker.turns.enter(&image.namespace().unwrap_or_default()).await;
    let target = Scratch(checker.context.args.scratch_dir.join(format!("check-{}", image.uid().unwrap_or_default())));
    let wanted = Wanted { sha256: source.sha256.clone(), size: None, format: image.spec.disk_format };
    let (progress, told) = tokio::sync::watch::channel(None);
    let report_progress = tell_progress(image, checker, told);
    let fetch = checker.context.fetcher.fetch(&source.url, &wanted, &target.0, move |done, of| {
        let percent = of.filter(|n| *n > 0).map(|n| u32::try_from(done * 100 / n).unwrap_or(100).min(100));
        progress.send_replace(percent);
    });
    let result = tokio::select! {
        result = fetch => result,
        () = report_progress => return Ok(Action::await_change()),
    };
    // Only the verdict is kept: hosts fetch for themselves.
    drop(target);
    let about = image.object_ref(&());
    match result {
        Ok(fetched) => {
            write(image, checker, verified(image, fetched), Claim::Leave).await?;
            checker.backoff.succeeded(&key);
            Ok(Action::await_change())
        }
        Err(error) => {
            let action = failed(image, checker, &error, &key).await?;
            if !told_before(image, &error) {
                checker.context.events.warning(&about, error.reason(), "Fetch", error.to_string()).await;
            }
            Ok(action)
        }
    }
}

async fn failed(
    image: &Image,
    checker: &Checker,
    error: &FetchError,
    key: &ObjectRef<Image>,
) -> Result<Action, kube::Error> {
    if error.is_transient() {
        if !told_before(image, error) {
            let message = format!("{error}; {}", next_step(error));
            write(image, checker, report(image, ImageState::Queued, error.reason(), message), Claim::Leave).await?;
        }
        return Ok(Action::requeue(checker.backoff.failed(key)));
    }
    let message = format!("{error}; {}", next_step(error));
    write(image, checker, report(image, ImageState::Killed, error.reason(), message), Claim::Leave).await?;
    Ok(Action::await_change())
}

/// What the reader should do next.
fn next_step(error: &FetchError) -> &'static str {
    match error {
        FetchError::Unreachable { .. } | FetchError::Status { .. } | FetchError::TooSlow { .. } => {
            "see that spec.source.http.url is served; it is tried again by itself"
        }
        FetchError::NoSpace => {
            "an admin has to give the manager's scratch folder more room; it is tried again by itself"
        }
        FetchError::Io(_) => "an admin has to look at the manager's scratch folder; it is tried again by itself",
        FetchError::Closed(_)
        | FetchError::Refused(_)
        | FetchError::TooLarge { .. }
        | FetchError::DigestMismatch { .. } => "delete this Image and make one that is right",
    }
}

fn told_before(image: &Image, error: &FetchError) -> bool {
    let conditions = image.status.as_ref().map_or(&[][..], |s| &s.conditions);
    ostler_crds::find_condition(conditions, condition::READY)
        .is_some_and(|c| c.reason == error.reason() && c.message.starts_with(&error.to_string()))
}

/// Writes progress from time to time; ends when there is no such Image any more.
async fn tell_progress(image: &Image, checker: &Checker, told: tokio::sync::watch::Receiver<Option<u32>>) {
    let began = Instant::now();
    loop {
        tokio::time::sleep(PROGRESS_EVERY).await;
        let percent = *told.borrow();
        let message = format!("fetching for {} s", began.elapsed().as_secs());
        let mut status = report(image, ImageState::Saving, reason::IN_PROGRESS, message);
        status.progress = percent;
        match write(image, checker, status, Claim::Leave).await {
            Ok(Written::Done) => {}
            Ok(Written::NoSuchImage) => return,
            Err(error) => tracing::debug!(%error, "progress of an image was not written"),
        }
    }
}

fn verified(image: &Image, fetched: Fetched) -> ImageStatus {
    let message = format!("{} bytes, sha256 as promised", fetched.digests.size);
    ImageStatus {
        sha256: Some(fetched.digests.sha256),
        sha512: Some(fetched.digests.sha512),
        md5: Some(fetched.digests.md5),
        size: Some(fetched.digests.size),
        virtual_size: Some(fetched.inspected.virtual_size),
        ..report(image, ImageState::Active, reason::VERIFIED, message)
    }
}

/// The status as it is, for the newest generation; `None` if it is that already.
fn observed_anew(image: &Image) -> Option<ImageStatus> {
    let generation = image.meta().generation;
    let mut status = image.status.clone().filter(|s| s.observed_generation != generation)?;
    status.observed_generation = generation;
    for condition in &mut status.conditions {
        condition.observed_generation = generation;
    }
    Some(status)
}

fn report(image: &Image, state: ImageState, reason: &'static str, message: String) -> ImageStatus {
    let make = |type_, status| ConditionBuilder { type_, status, reason, message: message.clone() };
    let mut list = vec![match state {
        ImageState::Active => make(condition::READY, ConditionStatus::True),
        ImageState::Queued | ImageState::Saving | ImageState::Killed => make(condition::READY, ConditionStatus::False),
    }];
    match state {
        ImageState::Active => {}
        ImageState::Queued | ImageState::Saving => list.push(make(condition::RECONCILING, ConditionStatus::True)),
        ImageState::Killed => list.push(make(condition::STALLED, ConditionStatus::True)),
    }
    let previous = image.status.as_ref().map_or(&[][..], |s| &s.conditions);
    let generation = image.meta().generation.unwrap_or_default();
    let now = Timestamp::now();
    ImageStatus {
        observed_generation: Some(generation),
        state: Some(state),
        conditions: list.into_iter().map(|c| c.build(generation, previous, now)).collect(),
        ..Default::default()
    }
}

/// What came of a write.
enum Written {
    Done,
    /// Its Image is gone, another one has its name, or the shim has the say by now.
    NoSuchImage,
}

/// Whether a write takes fields from the shim.
#[derive(PartialEq, Eq)]
enum Claim {
    Take,
    /// Once the shim has taken an upload, its word stands; of an image from the web nobody else has a say.
    Leave,
}

async fn write(image: &Image, checker: &Checker, status: ImageStatus, claim: Claim) -> Result<Written, kube::Error> {
    let api = Api::<Image>::namespaced(checker.context.client.clone(), &image.namespace().unwrap_or_default());
    let patch = json!({
        "apiVersion": Image::api_version(&()),
        "kind": Image::kind(&()),
        "metadata": { "name": image.name_any(), "uid": image.uid() },
        "status": status,
    });
    let params = PatchParams::apply(MANAGER_FIELD_MANAGER);
    let params = if claim == Claim::Take || image.spec.source.http.is_some() { params.force() } else { params };
    match api.patch_status(&image.name_any(), &params, &Patch::Apply(&patch)).await {
        Err(kube::Error::Api(refusal)) if refusal.code == 404 || refusal.code == 409 => Ok(Written::NoSuchImage),
        other => other.map(|_| Written::Done),
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use kube::runtime::reflector;

    use super::*;

    fn image(uid: &str) -> Image {
        let source = json!({ "http": { "url": "https://a.example/i", "sha256": "0".repeat(64) } });
        serde_json::from_value(json!({
            "apiVersion": Image::api_version(&()), "kind": Image::kind(&()),
            "metadata": { "name": "i", "namespace": "n", "uid": uid },
            "spec": { "source": source, "diskFormat": "raw" },
        }))
        .unwrap()
    }

    #[test]
    fn a_check_is_for_the_very_image_that_was_read() {
        let i = image("u");
        assert!(still_wanted(&i, Some(&i.clone())));
        assert!(!still_wanted(&i, None));
        assert!(!still_wanted(&i, Some(&image("another"))));
        let mut deleted = i.clone();
        deleted.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        assert!(!still_wanted(&i, Some(&deleted)));
        let mut changed = i.clone();
        if let Some(http) = changed.spec.source.http.as_mut() {
            http.url.push('2');
        }
        assert!(!still_wanted(&i, Some(&changed)));
    }

    #[test]
    fn a_change_that_asks_nothing_is_observed_once() {
        let mut i = image("u");
        i.metadata.generation = Some(1);
        i.status = Some(report(&i, ImageState::Active, reason::VERIFIED, "fine".to_owned()));
        assert_eq!(observed_anew(&i), None);
        i.metadata.generation = Some(2);
        let next = observed_anew(&i).unwrap();
        assert_eq!((next.observed_generation, next.state), (Some(2), Some(ImageState::Active)));
        assert!(next.conditions.iter().all(|c| c.observed_generation == Some(2)));
        i.status = Some(next);
        assert_eq!(observed_anew(&i), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_an_image_is_noticed_soon() {
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&watcher::Event::Apply(image("u")));
        let i = image("u");
        let mut unwanted = std::pin::pin!(unwanted(&i, &store));
        assert!(tokio::time::timeout(Duration::from_secs(60), &mut unwanted).await.is_err());
        writer.apply_watcher_event(&watcher::Event::Delete(image("u")));
        tokio::time::timeout(LOOK_EVERY * 2, unwanted).await.unwrap();
    }
}
