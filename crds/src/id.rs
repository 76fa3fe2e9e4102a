//! Typed ids: the OpenStack id of an object, and references between objects.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use thiserror::Error;
use uuid::Uuid;

use crate::names::ID_LABEL;

/// The id under which OpenStack clients know an object: the label [`ID_LABEL`] if it holds a UUID, else `metadata.uid`.
/// The libvirt domain of a Server has it as its UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpenStackId(Uuid);

/// An object has neither a UUID label nor a UUID as its uid (it never came from an API server).
#[derive(Debug, Error, PartialEq, Eq)]
#[error("object {name:?} has no usable id: neither label {ID_LABEL} nor metadata.uid is a UUID")]
pub struct NoId {
    /// `metadata.name` of the object.
    pub name: String,
}

impl OpenStackId {
    /// The id of the object with this metadata.
    pub fn of(meta: &ObjectMeta) -> Result<Self, NoId> {
        let label = meta.labels.as_ref().and_then(|l| l.get(ID_LABEL)).and_then(|v| Uuid::parse_str(v).ok());
        let uid = || meta.uid.as_deref().and_then(|u| Uuid::parse_str(u).ok());
        label.or_else(uid).map(Self).ok_or_else(|| NoId { name: meta.name.clone().unwrap_or_default() })
    }

    /// The UUID itself.
    pub fn uuid(&self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for OpenStackId {
    fn from(value: Uuid) -> Self {
        Self(value)
    }
}

impl fmt::Display for OpenStackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A reference to an Image: `name` in the Server's own namespace, or `namespace/name` of a public or shared one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageRef {
    /// Namespace of the Image.
    pub namespace: String,
    /// `metadata.name` of the Image.
    pub name: String,
}

impl ImageRef {
    /// Reads `spec.image` of a Server that lives in `own_namespace`.
    pub fn parse(text: &str, own_namespace: &str) -> Self {
        match text.split_once('/') {
            Some((namespace, name)) => Self { namespace: namespace.to_owned(), name: name.to_owned() },
            None => Self { namespace: own_namespace.to_owned(), name: text.to_owned() },
        }
    }

    /// The shortest text that [`ImageRef::parse`] reads back in `own_namespace`.
    pub fn text(&self, own_namespace: &str) -> String {
        if self.namespace == own_namespace { self.name.clone() } else { format!("{}/{}", self.namespace, self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_reference_without_namespace_is_in_the_servers_own() {
        let r = ImageRef::parse("debian", "prod");
        assert_eq!((r.namespace.as_str(), r.name.as_str()), ("prod", "debian"));
        assert_eq!(r.text("prod"), "debian");
        assert_eq!(r.text("dev"), "prod/debian");
    }

    #[test]
    fn a_label_overrides_the_uid() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut meta = ObjectMeta { uid: Some(a.to_string()), ..Default::default() };
        assert_eq!(OpenStackId::of(&meta), Ok(a.into()));
        meta.labels = Some([(ID_LABEL.to_owned(), b.to_string())].into());
        assert_eq!(OpenStackId::of(&meta), Ok(b.into()));
        meta.labels = Some([(ID_LABEL.to_owned(), "no-uuid".to_owned())].into());
        assert_eq!(OpenStackId::of(&meta), Ok(a.into()));
    }

    #[test]
    fn an_object_without_any_uuid_has_no_id() {
        assert!(OpenStackId::of(&ObjectMeta::default()).is_err());
    }
}
