//! Annotations that only the shim writes: what OpenStack clients expect to read back and Kubernetes has no field for.

/// `accessIPv4` of a server.
pub const ACCESS_IPV4: &str = "compute.ostler.dev/access-ipv4";
/// `accessIPv6` of a server.
pub const ACCESS_IPV6: &str = "compute.ostler.dev/access-ipv6";
/// `OS-DCF:diskConfig` of a server.
pub const DISK_CONFIG: &str = "compute.ostler.dev/disk-config";
/// Events of a server or of an image of one: what was asked, a line each ([`crate::nova::instance_actions::record`]).
pub const EVENTS: &str = "compute.ostler.dev/events";
/// `reservation_id` of a server: shared by those that one request made.
pub const RESERVATION: &str = "compute.ostler.dev/reservation";
/// `launch_index` of a server: its number among those that one request made.
pub const LAUNCH_INDEX: &str = "compute.ostler.dev/launch-index";
