//! `sort_key` and `sort_dir` of lists, as Nova's schemas have them. Pure.

use std::{cmp::Ordering, sync::Arc};

use ostler_crds::Server;

use super::{shown::shown, view};
use crate::{
    fault::Fault,
    http::{Microversion, Query},
    store::{deleted_at, names, updated_at},
};

type Compare = fn(&Server, &Server) -> Ordering;

/// Who may sort by a key, from when on.
enum Use {
    All,
    Admins,
    AllFrom(u16),
}

fn note<'a>(server: &'a Server, key: &str) -> Option<&'a String> {
    server.metadata.annotations.as_ref().and_then(|a| a.get(key))
}

fn launched(server: &Server) -> Option<jiff::Timestamp> {
    server.status.as_ref().and_then(|s| s.launched_at.as_ref()).map(|t| t.0)
}

fn host(server: &Server) -> Option<&str> {
    server.status.as_ref().and_then(|s| s.host.as_deref())
}

fn created(a: &Server, b: &Server) -> Ordering {
    let at = |s: &Server| s.metadata.creation_timestamp.as_ref().map(|t| t.0);
    at(a).cmp(&at(b))
}

fn by_host(a: &Server, b: &Server) -> Ordering {
    host(a).cmp(&host(b))
}

fn index(server: &Server) -> Option<u32> {
    note(server, names::LAUNCH_INDEX).and_then(|i| i.parse().ok())
}

fn hostname(server: &Server) -> String {
    server.spec.hostname.clone().unwrap_or_else(|| server.guest_hostname())
}

/// What is the same for all servers here.
fn same(_: &Server, _: &Server) -> Ordering {
    Ordering::Equal
}

/// The keys that clients may sort by.
const KEYS: &[(&str, Use, Compare)] = &[
    ("created_at", Use::All, created),
    ("updated_at", Use::All, |a, b| updated_at(&a.metadata).cmp(&updated_at(&b.metadata))),
    ("display_name", Use::All, |a, b| a.display_name().cmp(b.display_name())),
    ("uuid", Use::All, |a, b| view::id(a).cmp(&view::id(b))),
    ("vm_state", Use::All, |a, b| shown(a).vm.cmp(shown(b).vm)),
    ("task_state", Use::All, |a, b| shown(a).task.cmp(&shown(b).task)),
    ("power_state", Use::All, |a, b| shown(a).power.cmp(&shown(b).power)),
    ("key_name", Use::All, |a, b| a.spec.key_pair.cmp(&b.spec.key_pair)),
    ("launched_at", Use::All, |a, b| launched(a).cmp(&launched(b))),
    ("terminated_at", Use::All, |a, b| deleted_at(&a.metadata).cmp(&deleted_at(&b.metadata))),
    ("availability_zone", Use::All, |a, b| a.spec.availability_zone.cmp(&b.spec.availability_zone)),
    ("display_description", Use::All, |a, b| a.spec.description.cmp(&b.spec.description)),
    ("project_id", Use::All, |a, b| a.metadata.namespace.cmp(&b.metadata.namespace)),
    ("user_id", Use::All, |a, b| {
        let key = ostler_crds::names::CREATOR_ANNOTATION;
        note(a, key).cmp(&note(b, key))
    }),
    ("image_ref", Use::All, |a, b| a.spec.image.cmp(&b.spec.image)),
    ("instance_type_id", Use::All, |a, b| a.spec.flavor.cmp(&b.spec.flavor)),
    ("hostname", Use::All, |a, b| hostname(a).cmp(&hostname(b))),
    ("config_drive", Use::All, |a, b| a.spec.config_drive.cmp(&b.spec.config_drive)),
    ("launch_index", Use::All, |a, b| index(a).cmp(&index(b))),
    ("access_ip_v4", Use::All, |a, b| note(a, names::ACCESS_IPV4).cmp(&note(b, names::ACCESS_IPV4))),
    ("access_ip_v6", Use::All, |a, b| note(a, names::ACCESS_IPV6).cmp(&note(b, names::ACCESS_IPV6))),
    ("auto_disk_config", Use::All, |a, b| note(a, names::DISK_CONFIG).cmp(&note(b, names::DISK_CONFIG))),
    ("locked", Use::AllFrom(73), |a, b| a.spec.locked.cmp(&b.spec.locked)),
    ("locked_by", Use::All, |a, b| a.spec.locked.cmp(&b.spec.locked)),
    ("host", Use::Admins, by_host),
    ("node", Use::Admins, by_host),
    ("progress", Use::All, same),
    ("kernel_id", Use::All, same),
    ("ramdisk_id", Use::All, same),
    ("root_device_name", Use::All, same),
];

/// Keys that Nova took before it had schemas: ignored below 2.75, 400 from there on.
const IGNORED: &[&str] = &[
    "architecture",
    "cell_name",
    "cleaned",
    "default_ephemeral_device",
    "default_swap_device",
    "deleted",
    "deleted_at",
    "disable_terminate",
    "ephemeral_gb",
    "ephemeral_key_uuid",
    "id",
    "key_data",
    "launched_on",
    "locked",
    "memory_mb",
    "os_type",
    "reservation_id",
    "root_gb",
    "shutdown_terminate",
    "user_data",
    "vcpus",
    "vm_mode",
];
/// From here on nothing is ignored.
const STRICT: Microversion = Microversion(75);

/// Sorts by the keys of the query; newest first without any.
pub fn sort(servers: &mut [Arc<Server>], query: &Query, version: Microversion, privileged: bool) -> Result<(), Fault> {
    let invalid =
        |k: &str, v: &str| Fault::invalid_field(k, format!("Value: '{}' is not known.", crate::observe::clean(v)));
    let mut dirs = query.all("sort_dir");
    let mut order: Vec<(Compare, bool)> = Vec::new();
    for key in query.all("sort_key") {
        let descending = match dirs.next().unwrap_or("desc") {
            "asc" => false,
            "desc" => true,
            other => return Err(invalid("sort_dir", other)),
        };
        let known = KEYS.iter().find(|(name, _, _)| *name == key);
        match known {
            Some((_, Use::AllFrom(from), _)) if version.0 < *from => {}
            Some((_, Use::Admins, _)) if !privileged => {
                return Err(Fault::forbidden(format!("Only administrators can sort servers by {key}")));
            }
            Some((_, _, compare)) => order.push((*compare, descending)),
            None if version < STRICT && IGNORED.contains(&key) => {}
            None => return Err(invalid("sort_key", key)),
        }
    }
    if order.is_empty() {
        order.push((created, dirs.next() != Some("asc")));
    }
    servers.sort_by(|a, b| {
        let by_keys = order.iter().map(|(c, desc)| if *desc { c(b, a) } else { c(a, b) });
        // The id last, so that pages are stable.
        by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| view::id(b).cmp(&view::id(a)))
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted_at(query: &str, version: u16, privileged: bool) -> Result<Vec<String>, u16> {
        let server = |name: &str, id: u128| {
            let mut s = Server::new(name, Default::default());
            s.metadata.uid = Some(uuid::Uuid::from_u128(id).to_string());
            s.spec.locked = (name == "a").then_some(true);
            Arc::new(s)
        };
        let mut servers = vec![server("b", 1), server("a", 2), server("c", 3)];
        sort(&mut servers, &Query::parse(query), Microversion(version), privileged).map_err(|f| f.status.as_u16())?;
        Ok(servers.iter().map(|s| s.display_name().to_owned()).collect())
    }

    fn sorted(query: &str) -> Result<Vec<String>, u16> {
        sorted_at(query, 96, false)
    }

    #[test]
    fn keys_and_directions_go_in_pairs() {
        assert_eq!(sorted("sort_key=display_name&sort_dir=asc").unwrap(), ["a", "b", "c"]);
        assert_eq!(sorted("sort_key=display_name").unwrap(), ["c", "b", "a"]);
        assert_eq!(sorted("").unwrap(), ["c", "a", "b"]);
        assert_eq!(sorted("sort_key=colour"), Err(400));
        assert_eq!(sorted("sort_key=uuid&sort_dir=up"), Err(400));
    }

    #[test]
    fn a_key_has_its_versions_and_its_users() {
        assert_eq!(sorted("sort_key=locked").unwrap(), ["a", "c", "b"]);
        assert_eq!(sorted_at("sort_key=locked", 72, false).unwrap(), ["c", "a", "b"]);
        assert_eq!(sorted("sort_key=host"), Err(403));
        assert!(sorted_at("sort_key=host", 1, true).is_ok());
        assert!(sorted_at("sort_key=vcpus", 74, false).is_ok());
        assert_eq!(sorted_at("sort_key=vcpus", 75, false), Err(400));
    }
}
