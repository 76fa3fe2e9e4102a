//! What of an object is worth its memory: `managedFields` is dropped, and the time of the last change, which only it
//! tells, is kept in an annotation that never leaves this process.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;

/// Never written to the API server: see [`super::merge`], which leaves it out.
pub const UPDATED: &str = "ostler.internal/updated";
/// When an object that is gone was seen to go; likewise never written.
pub const DELETED: &str = "ostler.internal/deleted";

/// The object without what is not needed.
pub fn compact<K: Resource>(mut object: K) -> K {
    let meta = object.meta_mut();
    let latest = meta.managed_fields.take().into_iter().flatten().filter_map(|f| f.time).map(|t| t.0).max();
    if let Some(latest) = latest {
        meta.annotations.get_or_insert_default().insert(UPDATED.to_owned(), latest.to_string());
    }
    if let Some(annotations) = &mut meta.annotations {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    object
}

/// When the object last changed, as far as its API server told.
pub fn updated_at(meta: &ObjectMeta) -> Option<Timestamp> {
    let noted = meta.annotations.as_ref().and_then(|a| a.get(UPDATED)).and_then(|t| t.parse().ok());
    noted.max(meta.creation_timestamp.as_ref().map(|t| t.0))
}

/// When the object went, if it is gone and only remembered.
pub fn deleted_at(meta: &ObjectMeta) -> Option<Timestamp> {
    meta.annotations.as_ref().and_then(|a| a.get(DELETED)).and_then(|t| t.parse().ok())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        api::core::v1::ConfigMap,
        apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time},
    };

    use super::*;

    #[test]
    fn the_latest_change_survives_the_loss_of_managed_fields() {
        let at = |s| ManagedFieldsEntry { time: Some(Time(Timestamp::from_second(s).unwrap())), ..Default::default() };
        let mut object = ConfigMap::default();
        object.metadata.creation_timestamp = Some(Time(Timestamp::from_second(5).unwrap()));
        assert_eq!(updated_at(&object.metadata).map(|t| t.as_second()), Some(5));
        object.metadata.managed_fields = Some(vec![at(7), at(9), at(8)]);
        let small = compact(object);
        assert_eq!(small.metadata.managed_fields, None);
        assert_eq!(updated_at(&small.metadata).map(|t| t.as_second()), Some(9));
    }
}
