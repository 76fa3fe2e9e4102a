//! Filters of lists (spec Q-01 …): one row a key, with who may use it from which version on. Below 2.75 a key that no row
//! knows is ignored, and so is one that the caller may not use; from there on an unknown one is 400, as in Nova.

mod status;

use jiff::Timestamp;
use ostler_crds::Server;
use regex::{Regex, RegexBuilder};

use super::{facts, shown::shown};
use crate::{
    fault::Fault,
    http::{Microversion, Query, query::truth},
    shape::time,
    store::{Stores, deleted_at, names, updated_at},
};

/// One condition.
enum Condition {
    Status(Vec<String>),
    /// A text of the server, by a pattern, unanchored.
    Matches(fn(&Server) -> String, Regex),
    /// A text of the server, exactly.
    Is(fn(&Server) -> String, String),
    /// Any of its addresses, of this family or both.
    Address(Regex, Option<bool>),
    Image(String),
    Flavor(String),
    Zone(String),
    Key(String),
    Locked(bool),
    ConfigDrive(bool),
    Since(Timestamp),
    Before(Timestamp),
    Tags {
        all: bool,
        wanted: bool,
        tags: Vec<String>,
    },
    /// Accepted, and nothing that differs between servers here.
    Any,
}

/// What a list is cut by.
pub struct Filter {
    conditions: Vec<Condition>,
    /// Servers that are gone: `None` unless asked for by time, then with the others.
    gone: Option<bool>,
    by_time: bool,
}

/// How a key becomes a condition.
type Read = fn(&str) -> Result<Condition, Fault>;

/// A row: the key, the version from which on everybody may use it (0: administrators alone), and what it means.
struct Row(&'static str, u16, Read);

fn note(server: &Server, key: &str) -> String {
    server.metadata.annotations.as_ref().and_then(|a| a.get(key)).cloned().unwrap_or_default()
}

fn at(time: Option<Timestamp>) -> String {
    time.map(time::seconds).unwrap_or_default()
}

fn host(server: &Server) -> String {
    server.status.as_ref().and_then(|s| s.host.clone()).unwrap_or_default()
}

fn description(server: &Server) -> String {
    server.spec.description.clone().unwrap_or_default()
}

const ROWS: &[Row] = &[
    Row("name", 1, |v| regex("name", v, |s| s.display_name().to_owned())),
    Row("image", 1, |v| Ok(Condition::Image(last(v)))),
    Row("flavor", 1, |v| Ok(Condition::Flavor(last(v)))),
    Row("ip", 1, |v| pattern("ip", v).map(|p| Condition::Address(p, Some(false)))),
    Row("ip6", 5, |v| pattern("ip6", v).map(|p| Condition::Address(p, Some(true)))),
    Row("reservation_id", 1, |v| is(v, |s| note(s, names::RESERVATION))),
    Row("changes-since", 1, |v| instant("changes-since", v).map(Condition::Since)),
    Row("changes-before", 66, |v| instant("changes-before", v).map(Condition::Before)),
    Row("tags", 26, |v| Ok(tags(v, true, true))),
    Row("tags-any", 26, |v| Ok(tags(v, false, true))),
    Row("not-tags", 26, |v| Ok(tags(v, true, false))),
    Row("not-tags-any", 26, |v| Ok(tags(v, false, false))),
    Row("locked", 73, |v| flag("locked", v).map(Condition::Locked)),
    Row("availability_zone", 83, |v| Ok(Condition::Zone(v.to_owned()))),
    Row("config_drive", 83, |v| Ok(Condition::ConfigDrive(truth(v).unwrap_or(false)))),
    Row("key_name", 83, |v| Ok(Condition::Key(v.to_owned()))),
    Row("created_at", 83, |v| regex("created_at", v, |s| at(s.metadata.creation_timestamp.as_ref().map(|t| t.0)))),
    Row("launched_at", 83, |v| {
        regex("launched_at", v, |s| at(s.status.as_ref().and_then(|s| s.launched_at.as_ref()).map(|t| t.0)))
    }),
    Row("terminated_at", 83, |v| regex("terminated_at", v, |s| at(deleted_at(&s.metadata)))),
    Row("power_state", 83, |v| is(v, |s| shown(s).power.to_string())),
    Row("task_state", 83, |v| is(v, |s| shown(s).task.unwrap_or_default().to_owned())),
    Row("vm_state", 83, |v| is(v, |s| shown(s).vm.to_owned())),
    Row("progress", 83, |_| Ok(Condition::Any)),
    Row("user_id", 83, |v| is(v, |s| note(s, ostler_crds::names::CREATOR_ANNOTATION))),
    Row("hostname", 90, |v| regex("hostname", v, |s| s.spec.hostname.clone().unwrap_or_else(|| s.guest_hostname()))),
    Row("display_name", 0, |v| regex("display_name", v, |s| s.display_name().to_owned())),
    Row("image_ref", 0, |v| Ok(Condition::Image(last(v)))),
    Row("host", 0, |v| is(v, host)),
    Row("node", 0, |v| regex("node", v, host)),
    Row("uuid", 0, |v| is(v, super::view::id)),
    Row("launch_index", 0, |v| is(v, |s| note(s, names::LAUNCH_INDEX))),
    Row("description", 0, |v| regex("description", v, description)),
    Row("display_description", 0, |v| regex("display_description", v, description)),
    Row("access_ip_v4", 0, |v| regex("access_ip_v4", v, |s| note(s, names::ACCESS_IPV4))),
    Row("access_ip_v6", 0, |v| regex("access_ip_v6", v, |s| note(s, names::ACCESS_IPV6))),
    Row("auto_disk_config", 0, |v| {
        is(if truth(v) == Some(true) { "AUTO" } else { "" }, |s| note(s, names::DISK_CONFIG).replace("MANUAL", ""))
    }),
    Row("kernel_id", 0, |_| Ok(Condition::Any)),
    Row("ramdisk_id", 0, |_| Ok(Condition::Any)),
    Row("root_device_name", 0, |_| Ok(Condition::Any)),
    Row("locked_by", 0, |_| Ok(Condition::Any)),
    Row("soft_deleted", 0, |_| Ok(Condition::Any)),
];

/// Keys that the list itself reads.
const OTHERS: &[&str] =
    &["status", "deleted", "all_tenants", "tenant_id", "project_id", "limit", "marker", "sort_key", "sort_dir"];
/// All keys that a list knows at some version.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|r| r.0).chain(OTHERS.iter().copied())
}

/// Nova's tables: never keys.
const TABLES: &[&str] = &[
    "block_device_mapping",
    "services",
    "metadata",
    "system_metadata",
    "info_cache",
    "security_groups",
    "pci_devices",
];
/// From here on unknown keys are 400.
const STRICT: Microversion = Microversion(75);
/// Keys that came later than their row says for everybody.
const LATE: &[(&str, u16)] =
    &[("tags", 26), ("tags-any", 26), ("not-tags", 26), ("not-tags-any", 26), ("changes-before", 66), ("locked", 73)];

/// Who asks, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    /// The version.
    pub version: Microversion,
    /// Whether he sees what only administrators see.
    pub privileged: bool,
    /// Whether he asks for all projects.
    pub wide: bool,
}

impl Filter {
    /// Reads the query.
    pub fn of(query: &Query, asker: Asker) -> Result<Self, Fault> {
        let version = asker.version;
        known_keys(query, version)?;
        let mut conditions = Vec::new();
        for Row(key, from, read) in ROWS {
            let late = LATE.iter().any(|(k, first)| k == key && version.0 < *first);
            let may = asker.privileged || (*from > 0 && version.0 >= *from);
            if let Some(value) = query.get(key).filter(|v| !v.is_empty() && may && !late) {
                conditions.push(read(value)?);
            }
        }
        let by_time = conditions.iter().any(|c| matches!(c, Condition::Since(_) | Condition::Before(_)));
        in_order(&conditions)?;
        // A project may only be named together with all of them; otherwise it is the token's.
        if let Some(project) = query.get("project_id").or_else(|| query.get("tenant_id")).filter(|_| asker.wide) {
            let of = |s: &Server| s.metadata.namespace.clone().unwrap_or_default();
            conditions.push(Condition::Is(of, project.to_owned()));
        }
        let status = status::wanted(query, version, asker.privileged)?;
        let mut gone = query.get("deleted").filter(|_| asker.privileged).map(|v| truth(v) == Some(true));
        if status.as_deref().is_some_and(|words| words.iter().any(|w| w == "DELETED")) {
            gone = Some(true);
        }
        conditions.extend(status.map(Condition::Status));
        Ok(Self { conditions, gone, by_time })
    }

    /// Whether the servers that are there are wanted.
    pub fn wants_present(&self) -> bool {
        self.gone != Some(true)
    }

    /// Whether those that are gone are wanted.
    pub fn wants_gone(&self) -> bool {
        self.gone.unwrap_or(self.by_time)
    }

    /// Whether a server fits all conditions.
    pub fn fits(&self, server: &Server, stores: &Stores) -> bool {
        self.conditions.iter().all(|c| c.fits(server, stores))
    }
}

/// 400 for a key that is none.
fn known_keys(query: &Query, version: Microversion) -> Result<(), Fault> {
    for (key, _) in query.pairs() {
        let key = crate::observe::clean(key);
        if TABLES.contains(&key.as_str()) || key.starts_with('_') {
            return Err(Fault::bad_request(format!("Invalid filter field: {key}.")));
        }
        let known = ROWS.iter().any(|r| r.0 == key) || OTHERS.contains(&key.as_str());
        if version >= STRICT && !known {
            let why = format!("Additional properties are not allowed ('{key}' was unexpected)");
            return Err(Fault::invalid_field("query", why));
        }
    }
    Ok(())
}

fn in_order(conditions: &[Condition]) -> Result<(), Fault> {
    let since = conditions.iter().find_map(|c| if let Condition::Since(t) = c { Some(t) } else { None });
    let before = conditions.iter().find_map(|c| if let Condition::Before(t) = c { Some(t) } else { None });
    if since.zip(before).is_some_and(|(s, b)| b < s) {
        return Err(Fault::bad_request("The value of changes-since must be less than or equal to changes-before."));
    }
    Ok(())
}

impl Condition {
    fn fits(&self, server: &Server, stores: &Stores) -> bool {
        match self {
            Self::Status(words) => words.contains(&shown(server).status),
            Self::Matches(text, pattern) => pattern.is_match(&text(server)),
            Self::Is(text, wanted) => text(server) == *wanted,
            Self::Address(pattern, family) => server
                .status
                .iter()
                .flat_map(|s| &s.addresses)
                .any(|a| family.is_none_or(|six| a.address.contains(':') == six) && pattern.is_match(&a.address)),
            Self::Image(id) => facts::image(stores, server).as_ref() == Some(id),
            Self::Flavor(id) => facts::flavor(stores, server).is_some_and(|f| f.id == *id),
            Self::Zone(zone) => facts::gather(stores, server, false).zone == *zone,
            Self::Key(name) => facts::gather(stores, server, false).key_name.as_ref() == Some(name),
            Self::Locked(wanted) => (server.spec.locked == Some(true)) == *wanted,
            Self::ConfigDrive(wanted) => server.spec.config_drive == *wanted,
            Self::Since(at) => updated_at(&server.metadata).is_some_and(|u| u >= *at),
            Self::Before(at) => updated_at(&server.metadata).is_some_and(|u| u <= *at),
            Self::Tags { all, wanted, tags } => {
                let has = |t: &String| server.spec.tags.contains(t);
                (if *all { tags.iter().all(has) } else { tags.iter().any(has) }) == *wanted
            }
            Self::Any => true,
        }
    }
}

fn is(value: &str, text: fn(&Server) -> String) -> Result<Condition, Fault> {
    Ok(Condition::Is(text, value.to_owned()))
}

fn tags(value: &str, all: bool, wanted: bool) -> Condition {
    Condition::Tags { all, wanted, tags: value.split(',').map(str::to_owned).collect() }
}

fn flag(key: &str, value: &str) -> Result<bool, Fault> {
    truth(value).ok_or_else(|| Fault::invalid_field(key, "It is not a boolean."))
}

fn regex(key: &str, value: &str, text: fn(&Server) -> String) -> Result<Condition, Fault> {
    pattern(key, value).map(|p| Condition::Matches(text, p))
}

/// A pattern, unanchored. The engine is linear in time; its size is bounded too.
fn pattern(key: &str, pattern: &str) -> Result<Regex, Fault> {
    RegexBuilder::new(pattern)
        .size_limit(1 << 18)
        .build()
        .map_err(|_| Fault::invalid_field(key, "It is not a regular expression, or too large a one."))
}

fn instant(key: &str, text: &str) -> Result<Timestamp, Fault> {
    time::parse(text).ok_or_else(|| Fault::invalid_field(key, "It is not a time."))
}

fn last(reference: &str) -> String {
    reference.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
