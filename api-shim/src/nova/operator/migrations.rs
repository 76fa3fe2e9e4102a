//! `GET /os-migrations`: what moved or resized servers, read off their events. Pages and times from 2.59 and 2.66 on.

use jiff::Timestamp;
use ostler_crds::{
    Server,
    server::state::{self, TaskState, VmState},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Query, Reply, page::Page},
    nova::{
        instance_actions::view::{self, Event},
        servers::view as servers,
    },
    shape::{Edit, at_version, links, time},
    store::reads,
};

/// From here on there are pages, and a time to ask for.
const PAGES: Microversion = Microversion(59);
const MAX_PAGE: usize = 1000;
const EDITS: &[Edit] = &[
    Edit::added(23, "migration_type"),
    Edit::added(59, "uuid"),
    Edit::added(80, "user_id"),
    Edit::added(80, "project_id"),
];
/// Nova's name of an event, and what kind of migration it is.
const KINDS: &[(&str, &str)] =
    &[("resize", "resize"), ("migrate", "migration"), ("live-migration", "live-migration"), ("evacuate", "evacuation")];
/// What a query may ask for, and from which version on.
const KEYS: &[(&str, u16)] = &[
    ("host", 1),
    ("status", 1),
    ("instance_uuid", 1),
    ("migration_type", 1),
    ("source_compute", 1),
    ("hidden", 1),
    ("limit", 59),
    ("marker", 59),
    ("changes-since", 59),
    ("changes-before", 66),
    ("user_id", 80),
    ("project_id", 80),
];

/// A migration.
struct Migration {
    /// All that Nova shows of it at any version.
    document: Value,
    /// When it began.
    at: Timestamp,
    /// When the last is known of it.
    updated: Timestamp,
}

/// All of them, the newest first.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (query, version) = (&inbound.query, inbound.version);
    let known: Vec<&str> = KEYS.iter().filter(|(_, v)| Microversion(*v) <= version).map(|(k, _)| *k).collect();
    if version >= PAGES {
        query.only(&known)?;
    }
    let times = times(query, version)?;
    let stores = &inbound.app.stores;
    let all = reads::servers(stores, &permit);
    let mut found: Vec<Migration> = all.iter().flat_map(|s| of(s, &view::events(stores, s))).collect();
    found.sort_by_key(|m| std::cmp::Reverse(m.at));
    found.retain(|m| is_asked(m, query, times, &known));
    let mut more = false;
    if version >= PAGES {
        (found, more) = Page::of(query, MAX_PAGE, MAX_PAGE)?.cut(found, uuid)?;
    }
    let next = found.last().filter(|_| more).map(uuid);
    let items = found.into_iter().map(|mut m| {
        at_version(&mut m.document, EDITS, version);
        m.document
    });
    let mut document = json!({"migrations": items.collect::<Vec<Value>>()});
    if let Some(marker) = next {
        document["migrations_links"] = links::next(&inbound, &marker);
    }
    Ok(Reply::ok(&document))
}

fn uuid(migration: &Migration) -> String {
    migration.document["uuid"].as_str().unwrap_or_default().to_owned()
}

/// `changes-since` and `changes-before`.
fn times(query: &Query, version: Microversion) -> Result<(Option<Timestamp>, Option<Timestamp>), Fault> {
    let read = |key: &str, since: u16| {
        let text = query.get(key).filter(|_| version >= Microversion(since));
        let bad = || Fault::invalid_field(key, "It is not a time.");
        text.map(|t| time::parse(t).ok_or_else(bad)).transpose()
    };
    Ok((read("changes-since", 59)?, read("changes-before", 66)?))
}

fn is_asked(m: &Migration, query: &Query, times: (Option<Timestamp>, Option<Timestamp>), known: &[&str]) -> bool {
    let same = |key: &str, fields: &[&str]| {
        let wanted = query.get(key).filter(|_| known.contains(&key));
        wanted.is_none_or(|w| fields.iter().any(|f| m.document[*f].as_str() == Some(w)))
    };
    same("host", &["source_compute", "dest_compute"])
        && ["status", "instance_uuid", "migration_type", "source_compute", "user_id", "project_id"]
            .iter()
            .all(|k| same(k, &[k]))
        && times.0.is_none_or(|t| m.updated >= t)
        && times.1.is_none_or(|t| m.updated <= t)
}

/// Those of a server, of its events, the newest first. Pure.
fn of(server: &Server, events: &[Event]) -> Vec<Migration> {
    let later = |at: usize| &events[..at];
    let found = events.iter().enumerate().filter_map(|(at, event)| {
        let (_, kind) = KINDS.iter().find(|(action, _)| *action == event.record.action)?;
        Some(migration(server, event, kind, status(server, event, kind, later(at))))
    });
    found.collect()
}

/// Nova's word for how it stands. `later` are the events after it, the newest first.
fn status(server: &Server, event: &Event, kind: &str, later: &[Event]) -> &'static str {
    let end = later.iter().rev().find_map(|e| match e.record.action.as_str() {
        "confirmResize" => Some("confirmed"),
        "revertResize" => Some("reverted"),
        _ => None,
    });
    let shown = state::shown(server);
    let resizing = matches!(kind, "resize" | "migration");
    let under_way = later.is_empty() && shown.task_state.is_some();
    match (end, event.result) {
        (Some(end), _) if resizing => end,
        (_, Some("Error")) => "error",
        _ if resizing && shown.vm_state == VmState::Resized => "finished",
        _ if resizing && shown.task_state == Some(TaskState::ResizeFinish) => "post-migrating",
        _ if under_way && kind == "live-migration" => "running",
        _ if under_way => "migrating",
        // Without a word of anybody it was confirmed by itself.
        _ if resizing => "confirmed",
        _ if kind == "evacuation" => "done",
        _ => "completed",
    }
}

fn migration(server: &Server, event: &Event, kind: &str, status: &str) -> Migration {
    let record = &event.record;
    let host = server.status.as_ref().and_then(|s| s.host.clone());
    // A resize on its host ends where it began; where something else came from is not known any more.
    let source = host.clone().filter(|_| kind == "resize");
    let digest = Sha256::digest(record.request.as_bytes());
    let id = digest.iter().take(4).fold(0_u32, |n, byte| (n << 8) | u32::from(*byte)) >> 1;
    let project = server.metadata.namespace.clone().unwrap_or_default();
    let document = json!({
        "id": id, "uuid": record.request.trim_start_matches("req-"), "status": status, "migration_type": kind,
        "instance_uuid": servers::id(server), "source_compute": source, "source_node": source, "dest_compute": host,
        "dest_node": host, "dest_host": null, "old_instance_type_id": null, "new_instance_type_id": null,
        "created_at": time::micros_bare(record.at), "updated_at": event.finished.map(time::micros_bare),
        "user_id": record.user, "project_id": record.project.clone().unwrap_or(project),
    });
    Migration { document, at: record.at, updated: event.updated() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nova::instance_actions::record::Record;

    fn event(action: &str, second: i64) -> Event {
        let record = Record {
            action: action.into(),
            request: format!("req-{second}"),
            user: "u".into(),
            project: None,
            at: Timestamp::from_second(second).unwrap(),
        };
        Event { record, result: Some("Success"), finished: None }
    }

    fn statuses(actions: &[&str]) -> Vec<String> {
        let mut events: Vec<Event> = actions.iter().enumerate().map(|(n, a)| event(a, n as i64)).collect();
        events.reverse();
        let server = Server::new("a", Default::default());
        of(&server, &events).iter().map(|m| m.document["status"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_resize_is_confirmed_or_reverted_by_what_came_after_it() {
        assert_eq!(statuses(&["create", "resize", "confirmResize", "stop"]), ["confirmed"]);
        assert_eq!(
            statuses(&["create", "resize", "revertResize", "resize", "confirmResize"]),
            ["confirmed", "reverted"]
        );
        assert_eq!(statuses(&["create", "reboot"]), Vec::<String>::new());
    }

    #[test]
    fn each_version_has_its_keys() {
        let keys = |version| {
            let server = Server::new("a", Default::default());
            let mut document = of(&server, &[event("resize", 1)]).remove(0).document;
            at_version(&mut document, EDITS, Microversion(version));
            document.as_object().map(serde_json::Map::len).unwrap()
        };
        assert_eq!([keys(1), keys(22), keys(23), keys(59), keys(80)], [12, 12, 13, 14, 16]);
    }
}
