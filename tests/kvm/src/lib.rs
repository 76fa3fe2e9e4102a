//! What tests with real guests share: a node with libvirt, guests' files, the wait for a console line.
//!
//! Needs root and the packages of `tests/cluster/install-packages.sh libvirt guest-image`. Guests run under QEMU's
//! translator, so each boot costs some five seconds of a processor.

pub mod events;
pub mod guest;
pub mod listener;

use std::path::PathBuf;

use anyhow::Result;
use ostler_crds::host::Accelerator;
use ostler_libvirt::{Config, LibvirtHypervisor};
use ostler_test_harness::LibvirtNode;

/// A libvirt node and our hypervisor on it.
pub struct Node {
    /// Our hypervisor, connected to it.
    pub hypervisor: LibvirtHypervisor,
    /// The node itself; ends with this.
    pub libvirt: LibvirtNode,
}

impl Node {
    /// Starts one; needs root.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(name: &str) -> Result<Self> {
        let libvirt = LibvirtNode::start(name)?;
        let hypervisor = LibvirtHypervisor::connect(Config {
            uri: libvirt.uri().to_owned(),
            state_dir: libvirt.state_dir().to_owned(),
            accelerator: Some(Accelerator::Tcg),
        })?;
        Ok(Self { hypervisor, libvirt })
    }

    /// Runs a shell line on the node and gives what it printed.
    ///
    /// # Errors
    /// It fails.
    pub fn shell(&self, line: &str) -> Result<String> {
        self.libvirt.enter(&["sh", "-c", line])
    }

    /// Where the guests' folders are.
    pub fn guests_dir(&self) -> PathBuf {
        self.libvirt.state_dir().join("guests")
    }
}
