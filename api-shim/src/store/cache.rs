//! One kind in memory: by namespace and name, and by OpenStack id; knows what version it has seen.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fmt::Debug,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt};
use kube::{
    Api, Resource, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use ostler_crds::OpenStackId;
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::{absent::Absent, compact::compact};

/// How long a reply waits for the cache to catch up with a write.
const PATIENCE: Duration = Duration::from_secs(2);

type Name = (Option<String>, String);

struct Objects<K> {
    by_name: BTreeMap<Name, Arc<K>>,
    /// Several, because users may choose an id by a label, and so claim one that is taken.
    by_id: HashMap<Uuid, Vec<Name>>,
}

impl<K> Default for Objects<K> {
    fn default() -> Self {
        Self { by_name: BTreeMap::new(), by_id: HashMap::new() }
    }
}

impl<K: Resource> Objects<K> {
    fn insert(&mut self, object: K) {
        let name = name_of(&object);
        if let Some(before) = self.by_name.get(&name).cloned() {
            self.forget_id(&before, &name);
        }
        if let Ok(id) = OpenStackId::of(object.meta()) {
            self.by_id.entry(id.uuid()).or_default().push(name.clone());
        }
        self.by_name.insert(name, Arc::new(object));
    }

    fn remove(&mut self, object: &K) {
        let name = name_of(object);
        if let Some(before) = self.by_name.remove(&name) {
            self.forget_id(&before, &name);
        }
    }

    fn forget_id(&mut self, object: &K, name: &Name) {
        let Ok(id) = OpenStackId::of(object.meta()) else { return };
        if let Entry::Occupied(mut names) = self.by_id.entry(id.uuid()) {
            names.get_mut().retain(|n| n != name);
            if names.get().is_empty() {
                names.remove();
            }
        }
    }

    fn with_id(&self, id: Uuid) -> Vec<Arc<K>> {
        let names = self.by_id.get(&id).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<Arc<K>> = names.iter().filter_map(|n| self.by_name.get(n)).cloned().collect();
        found
            .sort_by_key(|k| (!is_born_with(k.as_ref(), id), k.meta().creation_timestamp.clone(), name_of(k.as_ref())));
        found
    }
}

/// Whether the id is the object's uid, which the API server gave to it alone, and no label.
pub fn is_born_with<K: Resource>(object: &K, id: Uuid) -> bool {
    object.meta().uid.as_deref().and_then(|u| Uuid::try_parse(u).ok()) == Some(id)
}

fn name_of<K: Resource>(object: &K) -> Name {
    let meta = object.meta();
    (meta.namespace.clone(), meta.name.clone().unwrap_or_default())
}

struct Shared<K> {
    objects: RwLock<Objects<K>>,
    /// Counts events; 0 until the first list is in.
    tick: watch::Sender<u64>,
    /// Objects whose deletion was seen. What is merely missing from a new list is not told here.
    deleted: broadcast::Sender<Arc<K>>,
    absent: Mutex<Absent>,
}

/// One kind in memory.
pub struct Cache<K>(Arc<Shared<K>>);

impl<K> Clone for Cache<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Cache<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Default + Eq + Hash + Clone,
{
    /// Starts a watch that ends with the runtime.
    pub fn start(api: Api<K>, config: watcher::Config) -> Self {
        let events = watcher::watcher(api, config.any_semantic()).default_backoff();
        let cache = Self::empty();
        tokio::spawn(cache.clone().follow(events));
        cache
    }
}

impl<K: Resource + Send + Sync + 'static> Cache<K>
where
    K::DynamicType: Default,
{
    /// A cache that nothing fills yet.
    pub fn empty() -> Self {
        let deleted = broadcast::Sender::new(256);
        let (objects, tick, absent) = (RwLock::default(), watch::Sender::new(0), Mutex::default());
        Self(Arc::new(Shared { objects, tick, deleted, absent }))
    }

    /// Applies events until they end.
    pub async fn follow(self, events: impl Stream<Item = watcher::Result<watcher::Event<K>>>) {
        let mut events = std::pin::pin!(events);
        let mut listed = Objects::default();
        while let Some(event) = events.next().await {
            match event {
                Ok(watcher::Event::Init) => listed = Objects::default(),
                Ok(watcher::Event::InitApply(object)) => listed.insert(compact(object)),
                Ok(watcher::Event::InitDone) => self.change(|o| *o = std::mem::take(&mut listed)),
                Ok(watcher::Event::Apply(object)) => {
                    self.is_there(&object);
                    self.change(|o| o.insert(compact(object)));
                }
                Ok(watcher::Event::Delete(object)) => {
                    self.change(|o| o.remove(&object));
                    // Nobody may be listening.
                    let _ = self.0.deleted.send(Arc::new(object));
                }
                Err(error) => {
                    let kind = K::plural(&K::DynamicType::default()).into_owned();
                    let error = crate::observe::clean(&error.to_string());
                    tracing::warn!(kind, error, "watch failed; trying again");
                }
            }
        }
    }

    fn change(&self, f: impl FnOnce(&mut Objects<K>)) {
        f(&mut self.0.objects.write().unwrap_or_else(PoisonError::into_inner));
        self.0.tick.send_modify(|t| *t += 1);
    }

    fn read<T>(&self, f: impl FnOnce(&Objects<K>) -> T) -> T {
        f(&self.0.objects.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Objects whose deletion is seen from now on.
    pub fn deletions(&self) -> broadcast::Receiver<Arc<K>> {
        self.0.deleted.subscribe()
    }

    /// Whether the first list is in.
    pub fn is_ready(&self) -> bool {
        *self.0.tick.borrow() > 0
    }

    /// The object with this name.
    pub fn get(&self, namespace: Option<&str>, name: &str) -> Option<Arc<K>> {
        let key = (namespace.map(str::to_owned), name.to_owned());
        self.read(|o| o.by_name.get(&key).cloned())
    }

    /// The objects with this OpenStack id, wherever they are: the one whose uid it is first, then the oldest claims.
    pub fn by_id(&self, id: Uuid) -> Vec<Arc<K>> {
        self.read(|o| o.with_id(id))
    }

    /// Whether the API server had no object with this id in the namespace a moment ago. Look at [`Self::by_id`] first.
    pub fn is_absent(&self, namespace: &str, id: Uuid) -> bool {
        self.absent(|a| a.contains(namespace, id, Instant::now()))
    }

    /// The API server had none when it was `asked`.
    pub fn note_absent(&self, namespace: &str, id: Uuid, asked: Instant) {
        self.absent(|a| a.note(namespace, id, asked));
    }

    fn is_there(&self, object: &K) {
        if let (Some(namespace), Ok(id)) = (&object.meta().namespace, OpenStackId::of(object.meta())) {
            self.absent(|a| a.forget(namespace, id.uuid()));
        }
    }

    fn absent<T>(&self, f: impl FnOnce(&mut Absent) -> T) -> T {
        f(&mut self.0.absent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All objects, sorted by namespace and name.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.read(|o| o.by_name.values().cloned().collect())
    }

    /// The objects of a namespace, sorted by name.
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        let start = (Some(namespace.to_owned()), String::new());
        let own = |key: &Name| key.0.as_deref() == Some(namespace);
        self.read(|o| o.by_name.range(start..).take_while(|(k, _)| own(k)).map(|(_, v)| v.clone()).collect())
    }

    /// Waits until the cache has seen `written`, or a later version of it, or its deletion; at most two seconds.
    pub async fn wait_for(&self, written: &K) {
        self.is_there(written);
        let (name, uid) = (name_of(written), written.uid());
        let version = written.resource_version().and_then(|v| v.parse::<u64>().ok());
        let mut seen_before = false;
        self.wait(|o| {
            let known = o.by_name.get(&name).filter(|k| k.uid() == uid);
            seen_before |= known.is_some();
            match known {
                Some(known) => known.resource_version().and_then(|v| v.parse::<u64>().ok()) >= version,
                None => seen_before,
            }
        })
        .await;
    }

    /// Waits until the cache has seen that the object is gone or going; at most two seconds.
    pub async fn wait_gone(&self, deleted: &K) {
        let (name, uid) = (name_of(deleted), deleted.uid());
        self.wait(|o| {
            let known = o.by_name.get(&name).filter(|k| k.uid() == uid);
            known.is_none_or(|k| k.meta().deletion_timestamp.is_some())
        })
        .await;
    }

    async fn wait(&self, mut done: impl FnMut(&Objects<K>) -> bool) {
        let mut tick = self.0.tick.subscribe();
        let caught_up = async {
            while !self.read(&mut done) {
                if tick.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(PATIENCE, caught_up).await.is_err() {
            tracing::warn!(kind = %K::plural(&K::DynamicType::default()), "the cache lags behind a write");
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;
    use watcher::Event;

    use super::*;

    fn object(namespace: &str, name: &str, id: u128, version: u64) -> ConfigMap {
        ConfigMap {
            metadata: ObjectMeta {
                namespace: Some(namespace.into()),
                name: Some(name.into()),
                uid: Some(Uuid::from_u128(id).to_string()),
                resource_version: Some(version.to_string()),
                ..Default::default()
            },
            ..Default::default()
        }
    }

    async fn after(events: Vec<Event<ConfigMap>>) -> Cache<ConfigMap> {
        let cache = Cache::empty();
        cache.clone().follow(futures::stream::iter(events.into_iter().map(Ok))).await;
        cache
    }

    #[tokio::test]
    async fn a_new_list_replaces_the_old_one_at_once() {
        let cache = after(vec![
            Event::Init,
            Event::InitApply(object("a", "x", 1, 1)),
            Event::InitDone,
            Event::Init,
            Event::InitApply(object("a", "y", 2, 5)),
        ])
        .await;
        assert!(cache.get(Some("a"), "x").is_some(), "the old list stays until the new one is complete");
        assert!(cache.by_id(Uuid::from_u128(2)).is_empty());
    }

    #[tokio::test]
    async fn objects_are_found_by_id_and_by_namespace() {
        let cache = after(vec![
            Event::Init,
            Event::InitApply(object("a", "x", 1, 1)),
            Event::InitApply(object("aa", "x", 2, 2)),
            Event::InitApply(object("b", "x", 3, 3)),
            Event::InitDone,
            Event::Delete(object("b", "x", 3, 4)),
        ])
        .await;
        assert_eq!(cache.in_namespace("a").len(), 1);
        assert_eq!(spaces(&cache, 2), ["aa"]);
        assert!(cache.by_id(Uuid::from_u128(3)).is_empty());
    }

    fn spaces(cache: &Cache<ConfigMap>, id: u128) -> Vec<String> {
        cache.by_id(Uuid::from_u128(id)).iter().filter_map(|o| o.namespace()).collect()
    }

    #[tokio::test]
    async fn a_claim_to_a_taken_id_comes_behind_the_object_that_was_born_with_it() {
        let claim = |namespace: &str, name: &str, uid: u128| {
            let mut object = object(namespace, name, uid, 1);
            let label = (ostler_crds::names::ID_LABEL.to_owned(), Uuid::from_u128(7).to_string());
            object.metadata.labels = Some([label].into());
            object
        };
        let cache = after(vec![
            Event::Init,
            Event::InitApply(claim("evil", "x", 1)),
            Event::InitApply(object("prod", "x", 7, 2)),
            Event::InitDone,
            Event::Apply(claim("worse", "x", 2)),
        ])
        .await;
        assert_eq!(spaces(&cache, 7), ["prod", "evil", "worse"]);
        cache.change(|o| o.remove(&claim("evil", "x", 1)));
        assert_eq!(spaces(&cache, 7), ["prod", "worse"]);
        cache.change(|o| o.insert(object("worse", "x", 3, 4)));
        assert_eq!((spaces(&cache, 7), spaces(&cache, 3)), (vec!["prod".to_owned()], vec!["worse".to_owned()]));
    }

    #[tokio::test]
    async fn an_object_recreated_under_its_name_keeps_its_new_id() {
        let cache = after(vec![
            Event::Init,
            Event::InitDone,
            Event::Apply(object("a", "x", 1, 1)),
            Event::Delete(object("a", "x", 1, 2)),
            Event::Apply(object("a", "x", 2, 3)),
        ])
        .await;
        assert!(cache.by_id(Uuid::from_u128(1)).is_empty());
        assert_eq!(cache.by_id(Uuid::from_u128(2)).len(), 1);
    }

    #[tokio::test]
    async fn what_is_written_or_seen_is_absent_no_more() {
        let cache = after(vec![Event::Init, Event::InitDone]).await;
        let note = |id| cache.note_absent("a", Uuid::from_u128(id), Instant::now());
        let is_absent = |id| cache.is_absent("a", Uuid::from_u128(id));
        note(1);
        note(2);
        assert!(is_absent(1) && is_absent(2));
        let seen = Event::Apply(object("a", "x", 1, 1));
        cache.clone().follow(futures::stream::iter([Ok(seen)])).await;
        note(1);
        cache.wait_for(&object("a", "x", 1, 1)).await;
        assert!(!is_absent(1) && is_absent(2));
    }

    #[tokio::test]
    async fn a_write_is_waited_for() {
        let cache = after(vec![Event::Init, Event::InitApply(object("a", "x", 1, 9)), Event::InitDone]).await;
        let start = std::time::Instant::now();
        cache.wait_for(&object("a", "x", 1, 9)).await;
        assert!(start.elapsed() < Duration::from_millis(500));
        let later = cache.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            later.change(|o| o.insert(object("a", "x", 1, 11)));
        });
        cache.wait_for(&object("a", "x", 1, 10)).await;
        assert_eq!(cache.get(Some("a"), "x").and_then(|o| o.resource_version()).as_deref(), Some("11"));
    }
}
