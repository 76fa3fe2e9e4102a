//! Labels, annotations, finalizers, field managers and reasons: one place for every string that objects carry.

/// Finalizer on a Server: what the hypervisor holds of it is still to be removed.
pub const GUEST_FINALIZER: &str = "compute.ostler.dev/guest";
/// Label that overrides the OpenStack id of an object (client-chosen image ids, restore from backup). A UUID, but for
/// Flavors, whose ids may be any text that fits into a label.
pub const ID_LABEL: &str = "compute.ostler.dev/id";
/// Label on Secrets that hold a user of the Keystone front.
pub const USER_LABEL: &str = "compute.ostler.dev/user";
/// Label on a namespace that is an OpenStack project. Its value is `true`.
pub const PROJECT_LABEL: &str = "compute.ostler.dev/project";
/// Label on what the Keystone front made for an administrator: namespaces, Secrets of users, bindings. Only such it deletes.
pub const KEYSTONE_LABEL: &str = "compute.ostler.dev/keystone";
/// Label on a binding that the Keystone front made: the OpenStack id of its user.
pub const GRANTEE_LABEL: &str = "compute.ostler.dev/keystone-user";
/// Annotation of a project's name, where it is not that of its namespace. Free Unicode.
pub const PROJECT_NAME_ANNOTATION: &str = "compute.ostler.dev/display-name";
/// Annotation of a project's description.
pub const PROJECT_DESCRIPTION_ANNOTATION: &str = "compute.ostler.dev/description";
/// Annotation of a project's tags, commas between.
pub const PROJECT_TAGS_ANNOTATION: &str = "compute.ostler.dev/tags";
/// Annotation of a project that is closed: `true` means that no token is good for it. Its guests run on.
pub const PROJECT_DISABLED_ANNOTATION: &str = "compute.ostler.dev/disabled";
/// Label that Hosts carry beside the labels copied from their Node.
pub const ZONE_LABEL: &str = "topology.kubernetes.io/zone";
/// Annotation of the Server's creator as an OpenStack user id, set by the shim.
pub const CREATOR_ANNOTATION: &str = "compute.ostler.dev/creator";
/// The availability zone of a host that names none (Nova's default).
pub const DEFAULT_ZONE: &str = "nova";

/// Label on the Image that a shelved Server is kept as: the Server's uid.
pub const SHELF_LABEL: &str = "compute.ostler.dev/shelf-of";
/// Label on such an Image: the Server's generation that asked for it.
pub const SHELF_GENERATION_LABEL: &str = "compute.ostler.dev/shelf-generation";

/// Server-side-apply field manager of the manager role.
pub const MANAGER_FIELD_MANAGER: &str = "ostler-manager";
/// Server-side-apply field manager of what the manager says of Servers whose Host is silent.
pub const SILENCE_FIELD_MANAGER: &str = "ostler-manager-silence";
/// Server-side-apply field manager of the node role.
pub const NODE_FIELD_MANAGER: &str = "ostler-node";
/// Server-side-apply field manager of the shim.
pub const SHIM_FIELD_MANAGER: &str = "ostler-api-shim";

/// Prefix of the heartbeat Lease of a host; the host's name follows.
pub const HEARTBEAT_LEASE_PREFIX: &str = "ostler-host-";
/// Name of the manager's leader-election Lease.
pub const MANAGER_LEASE: &str = "ostler-manager";

/// Audience of ServiceAccount tokens that the shim and the node roles show each other.
pub const STREAM_AUDIENCE: &str = "ostler.compute.ostler.dev";

/// Condition types. `Ready`, `Reconciling` and `Stalled` are those of kstatus.
pub mod condition {
    /// The object is what its spec asks for.
    pub const READY: &str = "Ready";
    /// Work goes on (kstatus: abnormal-true, absent when idle).
    pub const RECONCILING: &str = "Reconciling";
    /// Work cannot go on without a change by somebody (kstatus: abnormal-true, absent when well).
    pub const STALLED: &str = "Stalled";
    /// A Server is being shelved and cannot be (False; absent otherwise).
    pub const SHELVED: &str = "Shelved";
    /// A changed flavor or image cannot be had; the guest is as it was (abnormal-true, absent when well; False: not yet).
    pub const CHANGE_REFUSED: &str = "ChangeRefused";
    /// A Server has a host, addresses and a resolved flavor and image.
    pub const SCHEDULED: &str = "Scheduled";
}

/// Reasons of conditions and Events. One constant a reason; docs/reasons.md explains each with its next step.
pub mod reason {
    /// The guest runs, or is stopped as wished.
    pub const AS_WISHED: &str = "AsWished";
    /// A host was chosen.
    pub const BOUND: &str = "Bound";
    /// The guest was started.
    pub const STARTED: &str = "Started";
    /// The guest was stopped.
    pub const STOPPED: &str = "Stopped";
    /// The guest stands still, as `spec.powerState` asks.
    pub const PAUSED: &str = "Paused";
    /// The guest's memory was saved, as `spec.powerState` asks.
    pub const SUSPENDED: &str = "Suspended";
    /// A changed flavor or image cannot be had.
    pub const CHANGE_REFUSED: &str = "ChangeRefused";
    /// The Server is in a state in which its flavor or image is not changed.
    pub const NOT_IN_THIS_STATE: &str = "NotInThisState";
    /// The guest runs from a rescue disk, as `spec.rescue` asks.
    pub const RESCUED: &str = "Rescued";
    /// The guest has its new flavor.
    pub const RESIZED: &str = "Resized";
    /// The guest's root disk was made anew.
    pub const REBUILT: &str = "Rebuilt";
    /// An administrator set the Server to ERROR.
    pub const SET_TO_ERROR: &str = "SetToError";
    /// The guest was rebooted.
    pub const REBOOTED: &str = "Rebooted";
    /// The guest and all that belongs to it was removed.
    pub const REMOVED: &str = "Removed";
    /// Work goes on.
    pub const IN_PROGRESS: &str = "InProgress";
    /// No host has room, or none matches.
    pub const NO_HOST_FITS: &str = "NoHostFits";
    /// `spec.flavor` names no Flavor.
    pub const FLAVOR_NOT_FOUND: &str = "FlavorNotFound";
    /// The Flavor asks for a disk that this version does not make.
    pub const FLAVOR_NOT_SERVED: &str = "FlavorNotServed";
    /// `spec.image` names no Image that this namespace may use.
    pub const IMAGE_NOT_FOUND: &str = "ImageNotFound";
    /// The Image has no bytes yet.
    pub const IMAGE_NOT_ACTIVE: &str = "ImageNotActive";
    /// The Image asks for more disk or memory than the Flavor gives.
    pub const IMAGE_DOES_NOT_FIT: &str = "ImageDoesNotFit";
    /// The image's source could not be reached.
    pub const IMAGE_UNREACHABLE: &str = "ImageUnreachable";
    /// The image's bytes do not have the digest that was promised.
    pub const IMAGE_DIGEST_MISMATCH: &str = "ImageDigestMismatch";
    /// The image was refused on inspection (backing file, data file, unknown format, too large).
    pub const IMAGE_REFUSED: &str = "ImageRefused";
    /// `spec.keyPair` names no KeyPair in the namespace.
    pub const KEY_PAIR_NOT_FOUND: &str = "KeyPairNotFound";
    /// `spec.schedulerHints.group` names no ServerGroup in the namespace.
    pub const SERVER_GROUP_NOT_FOUND: &str = "ServerGroupNotFound";
    /// `spec.networks` names no Network that this namespace may use, or there is no default one.
    pub const NETWORK_NOT_FOUND: &str = "NetworkNotFound";
    /// A Network has no free address, or the asked one is taken or outside its pool.
    pub const NO_ADDRESS: &str = "NoAddress";
    /// The Host is not heard of; its guests may well run on.
    pub const HOST_SILENT: &str = "HostSilent";
    /// The Host is fenced: it runs no guest.
    pub const FENCED: &str = "Fenced";
    /// The Server was bound to another Host.
    pub const EVACUATED: &str = "Evacuated";
    /// libvirt cannot be reached on the host.
    pub const HYPERVISOR_UNREACHABLE: &str = "HypervisorUnreachable";
    /// libvirt or QEMU refused a step.
    pub const HYPERVISOR_ERROR: &str = "HypervisorError";
    /// The host's disk is full.
    pub const DISK_FULL: &str = "DiskFull";
    /// A domain of the same name or UUID that is not ours stands in the way.
    pub const FOREIGN_DOMAIN: &str = "ForeignDomain";
    /// The host's file system refused for another reason than a full disk.
    pub const STORAGE_ERROR: &str = "StorageError";
    /// The guest stops soon after each start; the next start waits.
    pub const GUEST_KEEPS_STOPPING: &str = "GuestKeepsStopping";
    /// The guest's disk is missing where a guest once ran; it is never replaced in silence.
    pub const DISK_MISSING: &str = "DiskMissing";
    /// The project may have no more: see its ProjectQuota.
    pub const QUOTA_EXCEEDED: &str = "QuotaExceeded";
    /// The memory that was saved of a suspended guest is missing; it is never booted in silence.
    pub const SAVED_MEMORY_MISSING: &str = "SavedMemoryMissing";
    /// The metadata service cannot be had on the guest's network.
    pub const METADATA_SERVICE_ERROR: &str = "MetadataServiceError";
    /// `spec.securityGroups` names no SecurityGroup in the namespace.
    pub const SECURITY_GROUP_NOT_FOUND: &str = "SecurityGroupNotFound";
    /// The rules of the SecurityGroups cannot be put at the guests' ports.
    pub const PORT_RULES_ERROR: &str = "PortRulesError";
    /// The object's fields contradict each other.
    pub const INVALID_SPEC: &str = "InvalidSpec";
    /// Bytes of an Image are awaited through the shim.
    pub const AWAITING_UPLOAD: &str = "AwaitingUpload";
    /// `spec.source.server` of an Image names no Server, or one that is being deleted.
    pub const SERVER_NOT_FOUND: &str = "ServerNotFound";
    /// A Server is in a state in which no image of it can be made.
    pub const SERVER_BUSY: &str = "ServerBusy";
    /// A Server is off its host and kept as an image.
    pub const SHELVED: &str = "Shelved";
    /// The image that a Server was to be kept as could not be made.
    pub const SHELVING_FAILED: &str = "ShelvingFailed";
    /// The copy of a Server's disk could not be uploaded.
    pub const UPLOAD_FAILED: &str = "UploadFailed";
    /// Bytes of an Image were checked and may be used.
    pub const VERIFIED: &str = "Verified";
    /// The host's libvirt answers and guests may be placed.
    pub const HYPERVISOR_READY: &str = "HypervisorReady";
}
