//! What stands in the way of a wish, what the user is told of it, and what is done about it.

use ostler_crds::names::reason;
use ostler_hypervisor::{ErrorClass, HypervisorError};

/// Something stands in the way of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind it is.
    pub kind: FailureKind,
    /// What was tried, `cannot start the guest`. Begins the message, and two failures of one kind at the same point
    /// count as the same one, so that a changing detail costs no write.
    pub doing: &'static str,
    /// What the hypervisor, the image's server or the system said; no secret.
    pub cause: String,
}

/// Kinds of failures, by what is told and done about them. The label of the metrics is [`FailureKind::label`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// libvirt does not answer.
    HypervisorUnreachable,
    /// libvirt or QEMU refused.
    HypervisorRefused,
    /// Something took too long, or vanished meanwhile.
    Interrupted,
    /// A domain, network or folder of somebody else stands in the way.
    Foreign,
    /// The host's file system is full.
    DiskFull,
    /// The host's file system refused.
    Storage,
    /// The guest's disk is missing where a guest once ran.
    DiskMissing,
    /// The memory that was saved of the guest is missing.
    SavedMemoryMissing,
    /// The image's source does not answer.
    ImageUnreachable,
    /// The image's bytes are not those that were promised.
    ImageDigestMismatch,
    /// The image was refused on inspection.
    ImageRefused,
    /// The Network is gone and was never made on this host.
    NetworkMissing,
    /// The metadata service cannot be had on the guest's network.
    MetadataService,
    /// A SecurityGroup of the Server does not exist.
    SecurityGroupMissing,
    /// The rules of the SecurityGroups cannot be put at the guests' ports.
    PortRules,
    /// The Server's fields contradict each other.
    Invalid,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// In seconds, doubling up to a minute.
    Soon,
    /// In tens of seconds, doubling up to five minutes.
    Slowly,
    /// When an object or the host changes; now and then all the same.
    OnChange,
}

impl FailureKind {
    /// The kind of a hypervisor's error.
    pub fn of(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Unreachable => Self::HypervisorUnreachable,
            ErrorClass::Foreign => Self::Foreign,
            ErrorClass::NoSpace => Self::DiskFull,
            ErrorClass::NotFound | ErrorClass::Timeout => Self::Interrupted,
            ErrorClass::Refused => Self::HypervisorRefused,
        }
    }

    /// Reason of the conditions and Events.
    pub fn reason(self) -> &'static str {
        match self {
            Self::HypervisorUnreachable => reason::HYPERVISOR_UNREACHABLE,
            Self::HypervisorRefused | Self::Interrupted => reason::HYPERVISOR_ERROR,
            Self::Foreign => reason::FOREIGN_DOMAIN,
            Self::DiskFull => reason::DISK_FULL,
            Self::Storage => reason::STORAGE_ERROR,
            Self::DiskMissing => reason::DISK_MISSING,
            Self::SavedMemoryMissing => reason::SAVED_MEMORY_MISSING,
            Self::ImageUnreachable => reason::IMAGE_UNREACHABLE,
            Self::ImageDigestMismatch => reason::IMAGE_DIGEST_MISMATCH,
            Self::ImageRefused => reason::IMAGE_REFUSED,
            Self::NetworkMissing => reason::NETWORK_NOT_FOUND,
            Self::MetadataService => reason::METADATA_SERVICE_ERROR,
            Self::SecurityGroupMissing => reason::SECURITY_GROUP_NOT_FOUND,
            Self::PortRules => reason::PORT_RULES_ERROR,
            Self::Invalid => reason::INVALID_SPEC,
        }
    }

    /// The label of the metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::HypervisorUnreachable => "hypervisor_unreachable",
            Self::HypervisorRefused => "hypervisor_refused",
            Self::Interrupted => "interrupted",
            Self::Foreign => "foreign",
            Self::DiskFull => "disk_full",
            Self::Storage => "storage",
            Self::DiskMissing => "disk_missing",
            Self::SavedMemoryMissing => "saved_memory_missing",
            Self::ImageUnreachable => "image_unreachable",
            Self::ImageDigestMismatch => "image_digest_mismatch",
            Self::ImageRefused => "image_refused",
            Self::NetworkMissing => "network_missing",
            Self::MetadataService => "metadata_service",
            Self::SecurityGroupMissing => "security_group_missing",
            Self::PortRules => "port_rules",
            Self::Invalid => "invalid",
        }
    }

    /// When to try again.
    pub fn retry(self) -> Retry {
        match self {
            Self::HypervisorUnreachable | Self::Interrupted | Self::ImageUnreachable => Retry::Soon,
            Self::HypervisorRefused
            | Self::DiskFull
            | Self::Storage
            | Self::NetworkMissing
            | Self::MetadataService
            | Self::SecurityGroupMissing
            | Self::PortRules => Retry::Slowly,
            Self::Foreign
            | Self::DiskMissing
            | Self::SavedMemoryMissing
            | Self::ImageDigestMismatch
            | Self::ImageRefused
            | Self::Invalid => Retry::OnChange,
        }
    }

    /// Whether the guest cannot go on by itself (condition Stalled, Nova's ERROR).
    pub fn is_stalled(self) -> bool {
        self.retry() == Retry::OnChange
    }

    /// Code of Nova's fault, for what Nova shows as ERROR. What is likely to pass by itself has none.
    pub fn fault_code(self) -> Option<u16> {
        match self {
            Self::HypervisorUnreachable
            | Self::Interrupted
            | Self::ImageUnreachable
            | Self::SecurityGroupMissing
            | Self::PortRules => None,
            Self::HypervisorRefused
            | Self::DiskFull
            | Self::Storage
            | Self::Foreign
            | Self::DiskMissing
            | Self::SavedMemoryMissing
            | Self::MetadataService => Some(500),
            Self::ImageDigestMismatch | Self::ImageRefused | Self::NetworkMissing | Self::Invalid => Some(400),
        }
    }

    /// What the reader should do next.
    fn next_step(self) -> &'static str {
        match self {
            Self::HypervisorUnreachable => {
                "Guests keep running; see that libvirtd runs on the host. It is tried again by itself"
            }
            Self::HypervisorRefused => "It is tried again by itself; the log of the node role and of libvirt tell more",
            Self::Interrupted => "It is tried again by itself",
            Self::Foreign => "An admin has to remove or rename it; or delete this Server, which leaves it untouched",
            Self::DiskFull => "Free space below the state folder on the host; it is tried again by itself",
            Self::Storage => "An admin has to look at the state folder on the host; it is tried again by itself",
            Self::DiskMissing => {
                "It is never replaced in silence: restore root.qcow2 in the guest's folder on the host, or delete this \
                 Server"
            }
            Self::SavedMemoryMissing => {
                "It is never booted in silence: set spec.powerState to Stopped and then to Running, or reboot it with \
                 RebootHard, to boot it from its disk"
            }
            Self::MetadataService => {
                "See that the node role has the capabilities NET_ADMIN and NET_BIND_SERVICE; it is tried again by itself"
            }
            Self::SecurityGroupMissing => {
                "Nothing that only it allowed passes. Make the SecurityGroup, or take it out of spec.securityGroups"
            }
            Self::PortRules => {
                "See that the node role has the program nft and the capability NET_ADMIN, and that the host has br_netfilter \
                 with net.bridge.bridge-nf-call-iptables=1; it is tried again by itself"
            }
            Self::ImageUnreachable => "See that the host reaches it; it is tried again by itself",
            Self::ImageDigestMismatch => "Delete this Server, and make an Image with the right digest in spec.source",
            Self::ImageRefused => "Delete this Server, and make an Image that holds all its data itself",
            Self::NetworkMissing => "Make the Network again, or delete this Server",
            Self::Invalid => "Change the named field, or delete this Server",
        }
    }
}

impl Failure {
    /// A failure while `doing` something.
    pub fn new(kind: FailureKind, doing: &'static str, cause: impl Into<String>) -> Self {
        Self { kind, doing, cause: cause.into() }
    }

    /// A hypervisor's error while `doing` something.
    pub fn of_hypervisor(error: HypervisorError, doing: &'static str) -> Self {
        Self::new(FailureKind::of(error.class), doing, error.message)
    }

    /// The message of the conditions: what was tried, what came of it, what to do next. One line.
    pub fn message(&self) -> String {
        format!("{}. {}.", self.in_short(), self.kind.next_step())
    }

    /// What was tried and what came of it, without a full stop.
    pub fn in_short(&self) -> String {
        let cause: String = self.cause.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(512).collect();
        format!("{}: {}", self.doing, cause.trim_end_matches('.'))
    }
}
