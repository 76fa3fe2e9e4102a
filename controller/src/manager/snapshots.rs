//! Images of Servers: orders to their hosts, and words at the Images until the bytes are there. What is decided is in
//! [`ostler_engine::snapshot`]; the bytes go from the host to the OpenStack front, which makes the Image active.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
    runtime::reflector::ObjectRef,
};
use ostler_crds::{
    ConditionBuilder, ConditionStatus, Image, ImageStatus, Server, find_condition,
    image::ImageState,
    names::{MANAGER_FIELD_MANAGER, condition, reason},
    server::PowerState,
};
use ostler_engine::{
    placement::manager_part,
    shelve::{is_shelf_of, shelf_of},
    snapshot::{Standing, Why, orders, standing},
};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::common::crash;

use super::{
    Context, shelve,
    stores::{Stores, synced},
    write,
};

/// How often everything is looked at while an image is being made, and otherwise.
const OPEN: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(300);
/// Changes come in bunches; one look does for all of them.
const BUNCH: Duration = Duration::from_millis(50);

/// One Server's name with its namespace.
type Key = ObjectRef<Server>;

/// Orders images until `term`. `changed` is rung when an Image is new or changed.
pub async fn run(context: &Context, stores: &Stores, changed: Arc<Notify>, term: CancellationToken) {
    tokio::join!(synced("Images", &stores.images), synced("Servers", &stores.servers));
    loop {
        let wait = if look(context, stores).await { OPEN } else { IDLE };
        tokio::select! {
            () = term.cancelled() => return,
            () = changed.notified() => tokio::time::sleep(BUNCH).await,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Whether anything is, or may be, to be done for a Server that has no Image of its own yet.
pub fn concerns(server: &Server) -> bool {
    let status = server.status.as_ref();
    server.spec.power_state == PowerState::Shelved
        || status.is_some_and(|s| {
            !s.snapshots.is_empty() || s.shelf.is_some() || find_condition(&s.conditions, condition::SHELVED).is_some()
        })
}

/// Looks at all images that are to be made. Says whether there are any.
async fn look(context: &Context, stores: &Stores) -> bool {
    let mut images: HashMap<Key, Vec<Arc<Image>>> = HashMap::new();
    for image in stores.images.state_filter(|i| i.spec.source.server.is_some()) {
        let name = image.spec.source.server.as_ref().map(|s| s.name.clone()).unwrap_or_default();
        let key = Key::new(&name).within(&image.namespace().unwrap_or_default());
        images.entry(key).or_default().push(image);
    }
    // A Server whose Images are all gone may have orders still.
    let with_orders = stores.servers.state_filter(concerns);
    let keys: HashSet<Key> =
        images.keys().cloned().chain(with_orders.iter().map(|s| Key::from_obj(s.as_ref()))).collect();
    let mut open = false;
    for key in keys {
        let server = stores.servers.get(&key);
        let of_it = images.remove(&key).unwrap_or_default();
        open |= tend(context, server.as_deref(), &of_it).await;
        open |= shelf(context, stores, &key, server.as_deref(), &of_it).await;
    }
    open
}

/// Tends the shelf of one Server, and removes those of Servers that are gone. Says whether more may follow soon.
async fn shelf(context: &Context, stores: &Stores, key: &Key, server: Option<&Server>, images: &[Arc<Image>]) -> bool {
    let uid = server.and_then(|s| s.metadata.uid.as_deref()).unwrap_or_default();
    for orphan in images.iter().filter(|i| shelf_of(i).is_some_and(|of| of != uid)) {
        // Nothing is removed only because the cache does not have its Server.
        let api = Api::<Server>::namespaced(context.client.clone(), &orphan.namespace().unwrap_or_default());
        match api.get_opt(&key.name).await {
            Ok(found) if found.as_ref().and_then(|s| s.metadata.uid.as_deref()) != shelf_of(orphan) => {
                tell(&format!("shelf {}", orphan.name_any()), shelve::remove(context, orphan).await);
            }
            Ok(_) | Err(_) => {}
        }
    }
    let Some(server) = server.filter(|s| concerns(s) || images.iter().any(|i| is_shelf_of(i, uid))) else {
        return false;
    };
    // The newest there is: the server may have been tended just now.
    let image = images.iter().find(|i| is_shelf_of(i, uid));
    let image = image.and_then(|i| stores.images.get(&ObjectRef::from_obj(i.as_ref())));
    match shelve::tend(context, server, image.as_deref()).await {
        Ok(open) => open,
        Err(error) => {
            tracing::debug!(%error, server = server.name_any(), "a shelf was not tended; looking again soon");
            true
        }
    }
}

/// Tends the images of one Server; says whether any is not over.
async fn tend(context: &Context, server: Option<&Server>, images: &[Arc<Image>]) -> bool {
    let standings: Vec<Standing> = images.iter().map(|image| standing(image, server)).collect();
    let all = || images.iter().map(AsRef::as_ref).zip(&standings);
    let mut open = standings.iter().any(|s| *s != Standing::Over);
    let mut ordered = true;
    let status = server.and_then(|s| s.status.as_ref());
    if let (Some(server), Some(status)) = (server, status) {
        let wanted = orders(&status.snapshots, all());
        if wanted != status.snapshots {
            open = true;
            let mut next = manager_part(status);
            next.snapshots = wanted;
            // A conflict means that the Server changed; it is looked at again soon.
            ordered =
                tell(&format!("orders of {}", server.name_any()), write::server_status(context, server, &next).await);
        }
    }
    for (image, standing) in all() {
        let said = match standing {
            Standing::Over => continue,
            Standing::Order if !ordered => continue,
            Standing::Order | Standing::Ordered => in_progress(image, server),
            Standing::Waits(why) => waiting(image, why),
            Standing::Lost(why) => lost(image, why),
        };
        if !says_already(image, &said) {
            let told = tell(&format!("image {}", image.name_any()), say(context, image, &said).await);
            if let (true, Standing::Lost(why)) = (told, standing) {
                context.events.warning(&image.object_ref(&()), why.reason, "Snapshot", why.message.clone()).await;
            }
        }
    }
    open
}

fn tell(what: &str, done: Result<(), write::Error>) -> bool {
    match done {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(%error, what, "not written; looking again soon");
            false
        }
    }
}

fn in_progress(image: &Image, server: Option<&Server>) -> ImageStatus {
    let host = server.and_then(|s| s.status.as_ref()).and_then(|s| s.host.as_deref()).unwrap_or_default();
    let message = format!("Host {host} copies and uploads the Server's disk");
    // The front says when bytes come in.
    let state = image.status.as_ref().and_then(|s| s.state).unwrap_or(ImageState::Queued);
    report(image, state, reason::IN_PROGRESS, message, condition::RECONCILING)
}

fn waiting(image: &Image, why: &Why) -> ImageStatus {
    let second = if why.reason == reason::SERVER_NOT_FOUND { condition::STALLED } else { condition::RECONCILING };
    report(image, ImageState::Queued, why.reason, why.message.clone(), second)
}

fn lost(image: &Image, why: &Why) -> ImageStatus {
    report(image, ImageState::Killed, why.reason, why.message.clone(), condition::STALLED)
}

fn report(
    image: &Image,
    state: ImageState,
    reason: &'static str,
    message: String,
    second: &'static str,
) -> ImageStatus {
    let make = |type_, status| ConditionBuilder { type_, status, reason, message: message.clone() };
    let list = [make(condition::READY, ConditionStatus::False), make(second, ConditionStatus::True)];
    let previous = image.status.as_ref().map_or(&[][..], |s| &s.conditions);
    let generation = image.meta().generation.unwrap_or_default();
    let now = Timestamp::now();
    ImageStatus {
        observed_generation: Some(generation),
        state: Some(state),
        conditions: list.into_iter().map(|c| c.build(generation, previous, now)).collect(),
        ..ImageStatus::default()
    }
}

fn says_already(image: &Image, said: &ImageStatus) -> bool {
    let Some(found) = &image.status else { return false };
    let same = |wanted: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        find_condition(&found.conditions, &wanted.type_)
            .is_some_and(|c| (&c.status, &c.reason, &c.message) == (&wanted.status, &wanted.reason, &wanted.message))
    };
    found.state == said.state
        && found.observed_generation == said.observed_generation
        && said.conditions.iter().all(same)
}

/// On condition that the Image is still the one that was read: the front writes to it, too.
async fn say(context: &Context, image: &Image, status: &ImageStatus) -> Result<(), write::Error> {
    if !context.leadership.holds() {
        return Err(write::Error::NotLeading);
    }
    let patch = json!({
        "apiVersion": Image::api_version(&()),
        "kind": Image::kind(&()),
        "metadata": { "name": image.name_any(), "uid": image.uid(), "resourceVersion": image.resource_version() },
        "status": status,
    });
    let api = Api::<Image>::namespaced(context.client.clone(), &image.namespace().unwrap_or_default());
    let params = PatchParams::apply(MANAGER_FIELD_MANAGER).force();
    api.patch_status(&image.name_any(), &params, &Patch::Apply(&patch)).await?;
    crash::point("status of an Image");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(state: Option<ImageState>) -> Image {
        let mut image: Image = serde_json::from_value(json!({
            "apiVersion": Image::api_version(&()), "kind": Image::kind(&()),
            "metadata": { "name": "i", "namespace": "n", "uid": "u", "generation": 1 },
            "spec": { "source": { "server": { "name": "a" } }, "diskFormat": "qcow2" },
        }))
        .unwrap();
        image.status = state.map(|state| ImageStatus { state: Some(state), ..ImageStatus::default() });
        image
    }

    #[test]
    fn what_is_said_is_said_once_and_what_the_front_said_of_the_bytes_stays() {
        let mut saving = image(Some(ImageState::Saving));
        let said = in_progress(&saving, None);
        assert_eq!(said.state, Some(ImageState::Saving));
        assert!(!says_already(&saving, &said));
        saving.status = Some(said.clone());
        assert!(says_already(&saving, &in_progress(&saving, None)));
        assert_eq!(in_progress(&image(None), None).state, Some(ImageState::Queued));
    }

    #[test]
    fn a_wait_for_somebody_is_stalled_and_one_that_passes_is_not() {
        let why = |reason| Why { reason, message: "m".into() };
        let types = |s: &ImageStatus| s.conditions.iter().map(|c| c.type_.clone()).collect::<Vec<_>>();
        assert_eq!(types(&waiting(&image(None), &why(reason::SERVER_NOT_FOUND))), ["Ready", "Stalled"]);
        assert_eq!(types(&waiting(&image(None), &why(reason::SERVER_BUSY))), ["Ready", "Reconciling"]);
        let end = lost(&image(None), &why(reason::DISK_FULL));
        assert_eq!((types(&end), end.state), (vec!["Ready".into(), "Stalled".into()], Some(ImageState::Killed)));
    }
}
