//! Real parts for tests: nothing here imitates, and nothing outlives the test process.
//!
//! ```text
//!   Cluster ── ControlPlane (etcd, kube-apiserver, kube-controller-manager)     tests/cluster/cluster
//!      │   └── Chart (CRDs, RBAC, policies, ServiceAccounts, Secrets)           helm template charts/ostler
//!      ├── Identity: kubeconfig and tokens of one of the chart's ServiceAccounts
//!      └── workload::{manager, node, shim}: our binaries under these identities
//!   LibvirtNode, GuestImage, FileServer, OpenStackCli: the other real parts
//! ```
//!
//! A part that is slow to start is shared by all tests of a test binary ([`Cluster::shared`]); tests keep apart by
//! namespaces of their own ([`Cluster::namespace`]). Processes end with the test process, however that ends: scripts by
//! the end of their stdin, our binaries by the kernel (see [`process`]). Files are removed by a janitor unless
//! `OSTLER_KEEP_LOGS=1` ([`scratch`]).
//!
//! The binaries under test are those in the target folder: `cargo xtask test` builds them first.

pub mod api_requests;
pub mod apply;
pub mod chart;
pub mod cluster;
pub mod control_plane;
pub mod file_server;
pub mod guest_image;
pub mod guest_traces;
pub mod identity;
pub mod janitor;
pub mod libvirt_node;
pub mod network_namespace;
pub mod openstack;
pub mod paths;
pub mod process;
pub mod scratch;
pub mod script;
pub mod small_disk;
pub mod wait;
pub mod workload;

pub use cluster::Cluster;
pub use control_plane::ControlPlane;
pub use file_server::FileServer;
pub use guest_image::GuestImage;
pub use identity::Identity;
pub use libvirt_node::LibvirtNode;
pub use openstack::OpenStackCli;
pub use process::Process;
pub use small_disk::SmallDisk;
pub use wait::wait_for;
