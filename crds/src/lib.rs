//! The custom resources of `compute.ostler.dev/v1alpha1`: types, CEL rules, conditions and typed names.
//!
//! This crate knows no Kubernetes client and does no IO, so that every other crate may stand on it:
//!
//! ```text
//!   controller ─► engine ─► hypervisor ─► crds ◄─ api-shim
//! ```
//!
//! The CRDs of the chart are rendered from these types by `cargo xtask crds`; `kubectl explain` shows the docstrings.
//! A field that is not served yet is refused at admission (see [`rule::not_served`]) and never ignored.

#![allow(
    clippy::duplicated_attributes,
    reason = "clippy takes the keys of two printer columns for one attribute said twice"
)]

pub mod condition;
pub mod extra_spec;
pub mod flavor;
pub mod host;
pub mod id;
pub mod image;
pub mod key_pair;
pub mod names;
pub mod network;
pub mod quota;
pub mod rule;
pub mod security_group;
pub mod server;
pub mod server_group;

pub use condition::{ConditionBuilder, Status as ConditionStatus, find_condition, set_condition};
pub use flavor::{Flavor, FlavorSpec, FlavorVisibility};
pub use host::{Host, HostSpec, HostStatus};
pub use id::{ImageRef, OpenStackId};
pub use image::{Image, ImageSpec, ImageStatus};
pub use key_pair::{KeyPair, KeyPairSpec, KeyPairStatus};
pub use network::{Network, NetworkSpec, NetworkStatus};
pub use quota::{ProjectQuota, ProjectQuotaSpec};
pub use security_group::{SecurityGroup, SecurityGroupSpec};
pub use server::{Server, ServerSpec, ServerStatus};
pub use server_group::{GroupPolicy, ServerGroup, ServerGroupSpec};

/// The API group of every kind.
pub const GROUP: &str = "compute.ostler.dev";
/// The served version.
pub const VERSION: &str = "v1alpha1";

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::crd::CustomResourceExt;

/// All CRDs, in the order in which the chart lists them.
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![
        Flavor::crd(),
        Host::crd(),
        Image::crd(),
        KeyPair::crd(),
        Network::crd(),
        ProjectQuota::crd(),
        SecurityGroup::crd(),
        Server::crd(),
        ServerGroup::crd(),
    ]
}
