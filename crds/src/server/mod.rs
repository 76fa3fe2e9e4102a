//! Server: a guest.
//!
//! `spec` is the wish of its owner, `status` is what the manager (host, addresses, what was resolved) and the node role
//! (the rest) say of it. [`state`] derives what OpenStack clients are shown from both.

pub mod footprint;
mod spec;
pub mod state;
mod status;

pub use spec::*;
pub use status::*;

use crate::id::ImageRef;

impl Server {
    /// The name that OpenStack clients see.
    pub fn display_name(&self) -> &str {
        self.spec.display_name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// The host name inside the guest: `spec.hostname`, or `metadata.name` cut to what DNS allows in one label.
    pub fn guest_hostname(&self) -> String {
        if let Some(name) = &self.spec.hostname {
            return name.clone();
        }
        let name = self.metadata.name.as_deref().unwrap_or("guest");
        let label: String = name.chars().map(|c| if c == '.' { '-' } else { c }).take(63).collect();
        label.trim_matches('-').to_owned()
    }

    /// The momentary wish that `status` does not echo yet.
    pub fn open_action(&self, status: &ServerStatus) -> Option<&ServerAction> {
        self.spec.action.as_ref().filter(|a| status.last_action.as_ref().is_none_or(|done| done.id != a.id))
    }

    /// The Image of the rescue disk that the spec names, if any.
    pub fn rescue_ref(&self) -> Option<ImageRef> {
        let own = self.metadata.namespace.as_deref().unwrap_or_default();
        let named = self.spec.rescue.as_ref()?.image.as_deref()?;
        Some(ImageRef::parse(named, own))
    }

    /// The Image that the spec names, if any.
    pub fn image_ref(&self) -> Option<ImageRef> {
        let own = self.metadata.namespace.as_deref().unwrap_or_default();
        self.spec.image.as_deref().map(|text| ImageRef::parse(text, own))
    }
}
