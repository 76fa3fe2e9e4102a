//! What a hypervisor shows.

use std::path::PathBuf;

use ostler_crds::host::{Accelerator, Resources};
use serde::{Deserialize, Serialize};

use crate::definition::{GuestId, Owner};

/// A domain as the hypervisor shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedDomain {
    /// Its UUID.
    pub id: GuestId,
    /// Its name.
    pub name: String,
    /// The Server it belongs to; `None`: the domain is not Ostler's.
    pub owner: Option<Owner>,
    /// What it does.
    pub state: DomainState,
    /// Whether its definition outlives its run. A transient one of ours is a leftover of a crash while defining.
    pub persistent: bool,
    /// Whether its memory is saved on the host, so that its next start is no boot. Only one that is off has that.
    pub saved: bool,
    /// The file that it runs from (or would), as the present definition says.
    pub boot_disk: Option<PathBuf>,
    /// The (network, MAC) pairs of its interfaces, as the hypervisor names the networks.
    pub nics: Vec<(String, String)>,
}

/// A network of ours as the hypervisor shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedNetwork {
    /// Its name, as [`NetworkDefinition::name`](crate::NetworkDefinition::name).
    pub name: String,
    /// Its bridge.
    pub bridge: String,
}

/// What a domain does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DomainState {
    /// It runs.
    Running,
    /// Its processors stand still.
    Paused,
    /// Its processors stand still, because its disk has to grow and the host's file system is full. Nothing is lost: it
    /// goes on where it stopped.
    NoSpace,
    /// It was asked to shut down and is at it.
    ShuttingDown,
    /// It is off: shut down by its guest or destroyed.
    Off,
    /// It is off because QEMU or the guest died, or could not start.
    Crashed,
}

impl DomainState {
    /// Whether a QEMU process stands behind it.
    pub fn is_active(self) -> bool {
        match self {
            Self::Running | Self::Paused | Self::NoSpace | Self::ShuttingDown => true,
            Self::Off | Self::Crashed => false,
        }
    }
}

/// What a machine is and has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Processors, memory, and the size of the state folder's file system.
    pub capacity: Resources,
    /// Hardware virtualization that was proven to work, or the translator.
    pub accelerator: Accelerator,
    /// libvirt's version, `9.0.0`.
    pub libvirt_version: String,
    /// QEMU's version, `7.2.0`.
    pub qemu_version: String,
}
