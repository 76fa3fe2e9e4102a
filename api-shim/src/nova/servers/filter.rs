//! Filters of lists (spec Q-01 …): one row a key. A key that no row knows is ignored, as Nova does below 2.75.

use jiff::Timestamp;
use ostler_crds::{Server, server::state};
use regex::{Regex, RegexBuilder};

use super::facts;
use crate::{
    fault::Fault,
    http::{Microversion, Query},
    shape::time,
    store::{Stores, updated_at},
};

/// Status words of Nova, and the seed's own spellings (spec D-04).
const STATUSES: &[(&str, &str)] = &[
    ("ACTIVE", "ACTIVE"),
    ("BUILD", "BUILD"),
    ("BUILDING", "BUILD"),
    ("DELETED", "DELETED"),
    ("ERROR", "ERROR"),
    ("HARD_REBOOT", "HARD_REBOOT"),
    ("MIGRATING", "MIGRATING"),
    ("PASSWORD", "PASSWORD"),
    ("PAUSED", "PAUSED"),
    ("REBOOT", "REBOOT"),
    ("REBUILD", "REBUILD"),
    ("RESCUE", "RESCUE"),
    ("RESCUED", "RESCUE"),
    ("RESIZE", "RESIZE"),
    ("RESIZED", "RESIZE"),
    ("REVERT_RESIZE", "REVERT_RESIZE"),
    ("SHELVED", "SHELVED"),
    ("SHELVED_OFFLOADED", "SHELVED_OFFLOADED"),
    ("SHUTOFF", "SHUTOFF"),
    ("STOPPED", "SHUTOFF"),
    ("SOFT_DELETED", "SOFT_DELETED"),
    ("SUSPENDED", "SUSPENDED"),
    ("UNKNOWN", "UNKNOWN"),
    ("VERIFY_RESIZE", "VERIFY_RESIZE"),
];

/// From here on an unknown status word is 400; before, nothing has it.
const STRICT_STATUS: Microversion = Microversion(38);
/// From here on lists can be filtered by tags.
const TAGS: Microversion = Microversion(26);

/// One condition.
enum Condition {
    Status(Vec<String>),
    Name(Regex),
    Ip(Regex),
    Image(String),
    Flavor(String),
    Host(String),
    Zone(String),
    Key(String),
    User(String),
    Project(String),
    Uuid(String),
    VmState(String),
    TaskState(String),
    PowerState(u8),
    Description(Regex),
    ConfigDrive(bool),
    Since(Timestamp),
    Before(Timestamp),
    Tags {
        all: bool,
        wanted: bool,
        tags: Vec<String>,
    },
    /// No deleted server is left, so that asking for them finds nothing.
    Deleted(bool),
}

/// What a list is cut by.
pub struct Filter(Vec<Condition>);

/// How a key becomes a condition.
type Read = fn(&str) -> Result<Condition, Fault>;

/// Keys that everybody may use.
const OPEN: &[(&str, Read)] = &[
    ("name", |v| regex("name", v).map(Condition::Name)),
    ("image", |v| Ok(Condition::Image(last(v)))),
    ("flavor", |v| Ok(Condition::Flavor(last(v)))),
    ("ip", |v| regex("ip", v).map(Condition::Ip)),
    ("changes-since", |v| instant("changes-since", v).map(Condition::Since)),
    ("changes-before", |v| instant("changes-before", v).map(Condition::Before)),
];

/// Keys that only administrators may use; from others they are ignored.
const PRIVILEGED: &[(&str, Read)] = &[
    ("host", |v| Ok(Condition::Host(v.to_owned()))),
    ("availability_zone", |v| Ok(Condition::Zone(v.to_owned()))),
    ("key_name", |v| Ok(Condition::Key(v.to_owned()))),
    ("user_id", |v| Ok(Condition::User(v.to_owned()))),
    ("project_id", |v| Ok(Condition::Project(v.to_owned()))),
    ("tenant_id", |v| Ok(Condition::Project(v.to_owned()))),
    ("uuid", |v| Ok(Condition::Uuid(v.to_owned()))),
    ("vm_state", |v| Ok(Condition::VmState(v.to_owned()))),
    ("task_state", |v| Ok(Condition::TaskState(v.to_owned()))),
    ("power_state", |v| {
        v.parse().map(Condition::PowerState).map_err(|_| Fault::invalid_field("power_state", "It is not a number."))
    }),
    ("description", |v| regex("description", v).map(Condition::Description)),
    ("config_drive", |v| Ok(Condition::ConfigDrive(crate::http::query::truth(v).unwrap_or(false)))),
    ("deleted", |v| Ok(Condition::Deleted(crate::http::query::truth(v) == Some(true)))),
];

impl Filter {
    /// Reads the query. `privileged`: an administrator asks.
    pub fn of(query: &Query, version: Microversion, privileged: bool) -> Result<Self, Fault> {
        let mut conditions = Vec::new();
        let tables: &[&[(&str, Read)]] = if privileged { &[OPEN, PRIVILEGED] } else { &[OPEN] };
        for (key, read) in tables.iter().copied().flatten() {
            if let Some(value) = query.get(key).filter(|v| !v.is_empty()) {
                conditions.push(read(value)?);
            }
        }
        conditions.extend(status(query, version, privileged)?);
        if version >= TAGS {
            conditions.extend(tags(query));
        }
        Ok(Self(conditions))
    }

    /// Whether a server fits all conditions.
    pub fn fits(&self, server: &Server, stores: &Stores) -> bool {
        self.0.iter().all(|c| c.fits(server, stores))
    }
}

impl Condition {
    fn fits(&self, server: &Server, stores: &Stores) -> bool {
        let shown = || state::shown(server);
        let addresses = || server.status.iter().flat_map(|s| &s.addresses);
        match self {
            Self::Status(words) => words.contains(&shown().status),
            Self::Name(pattern) => pattern.is_match(server.display_name()),
            Self::Ip(pattern) => addresses().any(|a| pattern.is_match(&a.address)),
            Self::Image(id) => facts::image(stores, server).as_ref() == Some(id),
            Self::Flavor(id) => facts::flavor(stores, server).is_some_and(|f| f.id == *id),
            Self::Host(host) => server.status.as_ref().and_then(|s| s.host.as_ref()) == Some(host),
            Self::Zone(zone) => facts::gather(stores, server, false).zone == *zone,
            Self::Key(name) => facts::gather(stores, server, false).key_name.as_ref() == Some(name),
            Self::User(id) => creator(server) == Some(id),
            Self::Project(id) => server.metadata.namespace.as_ref() == Some(id),
            Self::Uuid(id) => super::view::id(server) == *id,
            Self::VmState(word) => shown().vm_state.as_str() == word,
            Self::TaskState(word) => shown().task_state.map(|t| t.as_str()) == Some(word),
            Self::PowerState(number) => shown().power_state.number() == *number,
            Self::Description(pattern) => pattern.is_match(server.spec.description.as_deref().unwrap_or_default()),
            Self::ConfigDrive(wanted) => server.spec.config_drive == *wanted,
            Self::Since(at) => updated_at(&server.metadata).is_some_and(|u| u >= *at),
            Self::Before(at) => updated_at(&server.metadata).is_some_and(|u| u <= *at),
            Self::Tags { all, wanted, tags } => {
                let has = |t: &String| server.spec.tags.contains(t);
                (if *all { tags.iter().all(has) } else { tags.iter().any(has) }) == *wanted
            }
            Self::Deleted(asked) => !asked,
        }
    }
}

fn creator(server: &Server) -> Option<&String> {
    server.metadata.annotations.as_ref().and_then(|a| a.get(ostler_crds::names::CREATOR_ANNOTATION))
}

/// `status` may come several times. DELETED is for administrators, who find nothing there.
fn status(query: &Query, version: Microversion, privileged: bool) -> Result<Option<Condition>, Fault> {
    let mut wanted = Vec::new();
    let mut asked = false;
    for word in query.all("status").filter(|w| !w.is_empty()) {
        asked = true;
        let upper = word.to_ascii_uppercase();
        match STATUSES.iter().find(|(name, _)| *name == upper) {
            Some((_, "DELETED")) if !privileged => {
                return Err(Fault::forbidden("Only administrators may list deleted instances"));
            }
            Some((_, nova)) => wanted.push((*nova).to_owned()),
            None if version >= STRICT_STATUS => {
                return Err(Fault::bad_request(format!("Invalid status value {}", crate::observe::clean(word))));
            }
            None => {}
        }
    }
    Ok(asked.then_some(Condition::Status(wanted)))
}

fn tags(query: &Query) -> Vec<Condition> {
    [("tags", true, true), ("tags-any", false, true), ("not-tags", true, false), ("not-tags-any", false, false)]
        .into_iter()
        .filter_map(|(key, all, wanted)| {
            let tags = query.get(key)?.split(',').map(str::to_owned).collect();
            Some(Condition::Tags { all, wanted, tags })
        })
        .collect()
}

/// A pattern, unanchored. The engine is linear in time; its size is bounded too.
fn regex(key: &str, pattern: &str) -> Result<Regex, Fault> {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reads(query: &str, version: u16, privileged: bool) -> Result<Filter, u16> {
        Filter::of(&Query::parse(query), Microversion(version), privileged).map_err(|f| f.status.as_u16())
    }

    fn fits(query: &str, privileged: bool) -> bool {
        let mut server = Server::new("web-1", Default::default());
        server.spec.tags = vec!["a".into(), "b".into()];
        reads(query, 72, privileged).unwrap().0.iter().all(|c| match c {
            Condition::Name(p) => p.is_match(server.display_name()),
            Condition::Status(words) => words.contains(&state::shown(&server).status),
            Condition::Tags { all, wanted, tags } => {
                let has = |t: &String| server.spec.tags.contains(t);
                (if *all { tags.iter().all(has) } else { tags.iter().any(has) }) == *wanted
            }
            Condition::Deleted(asked) => !asked,
            _ => true,
        })
    }

    #[test]
    fn a_name_is_an_unanchored_pattern() {
        assert!(fits("name=eb", false));
        assert!(!fits("name=^eb", false));
        assert_eq!(reads("name=%5B", 1, false).err(), Some(400));
    }

    #[test]
    fn status_words_are_read_in_both_spellings_and_any_case() {
        assert!(fits("status=building", false));
        assert!(fits("status=ACTIVE&status=build", false));
        assert!(!fits("status=ACTIVE", false));
        assert_eq!(reads("status=nonsense", 38, false).err(), Some(400));
        assert!(reads("status=nonsense", 37, false).is_ok());
        assert_eq!(reads("status=deleted", 1, false).err(), Some(403));
    }

    #[test]
    fn deleted_servers_are_nowhere_and_members_cannot_ask() {
        assert!(!fits("deleted=True", true));
        assert!(fits("deleted=False", true));
        assert!(fits("deleted=True", false));
    }

    #[test]
    fn tags_are_asked_for_in_four_ways() {
        assert!(fits("tags=a,b", false) && !fits("tags=a,c", false));
        assert!(fits("tags-any=a,c", false) && !fits("tags-any=c", false));
        assert!(fits("not-tags=a,c", false) && !fits("not-tags=a,b", false));
        assert!(fits("not-tags-any=c", false) && !fits("not-tags-any=a,c", false));
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_filters(key in "(name|status|ip|changes-since|tags|flavor|deleted)", value in "\\PC{0,60}") {
            let query = Query::parse(&url::form_urlencoded::Serializer::new(String::new()).append_pair(&key, &value).finish());
            let _ = Filter::of(&query, Microversion(72), true);
        }
    }
}
