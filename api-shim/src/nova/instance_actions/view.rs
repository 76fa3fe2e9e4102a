//! Events as Nova shows them, cut by version (2.51, 2.58, 2.62, 2.84).

use jiff::Timestamp;
use ostler_crds::{
    Server, find_condition,
    names::condition,
    server::state::{self, VmState},
};
use serde_json::{Value, json};

use super::record::{self, Record};
use crate::{
    http::Microversion,
    nova::{
        actions::create_image,
        servers::{facts, view},
    },
    shape::{Edit, at_version, time},
    store::{Stores, deleted_at},
};

const EDITS: &[Edit] = &[
    Edit::added(58, "updated_at"),
    Edit::added(62, "events/*/hostId"),
    Edit::added(62, "events/*/host"),
    Edit::added(84, "events/*/details"),
];
/// From here on everybody sees the steps of an event; before, administrators alone.
const STEPS: Microversion = Microversion(51);

/// An event, with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What was asked.
    pub record: Record,
    /// `Success`, `Error`, or nothing while it goes on.
    pub result: Option<&'static str>,
    /// When it ended, as far as that is known.
    pub finished: Option<Timestamp>,
}

impl Event {
    /// When the last is known of it.
    pub fn updated(&self) -> Timestamp {
        self.finished.unwrap_or(self.record.at)
    }
}

/// All events of a server, the newest first: what is noted on it, on images that are made of it, and its deletion.
pub fn events(stores: &Stores, server: &Server) -> Vec<Event> {
    let mut records = record::of(&server.metadata);
    for image in create_image::of(stores, server) {
        records.extend(record::of(&image.metadata));
    }
    let going = server.metadata.deletion_timestamp.as_ref().map(|t| t.0).or_else(|| deleted_at(&server.metadata));
    if let Some(at) = going {
        let uid = server.metadata.uid.clone().unwrap_or_default();
        let asked = stores.tombstones.deletion(&uid);
        // Deleted by another way than this front: nobody's request.
        let other = || Record {
            action: "delete".to_owned(),
            request: format!("req-{uid}"),
            user: String::new(),
            project: None,
            at,
        };
        records.push(asked.unwrap_or_else(other));
    }
    records.sort_by_key(|r| r.at);
    let last = records.len().saturating_sub(1);
    let mut events: Vec<Event> =
        records.into_iter().enumerate().map(|(i, record)| outcome(server, record, i == last)).collect();
    events.reverse();
    events
}

/// What became of it: only of the last one is anything known beside that it is over. Pure.
fn outcome(server: &Server, record: Record, is_last: bool) -> Event {
    if !is_last {
        return Event { record, result: Some("Success"), finished: None };
    }
    if let Some(at) = deleted_at(&server.metadata) {
        return Event { record, result: Some("Success"), finished: Some(at) };
    }
    let shown = state::shown(server);
    let status = server.status.as_ref();
    if shown.task_state.is_some() {
        return Event { record, result: None, finished: None };
    }
    if shown.vm_state == VmState::Error {
        let at = status.and_then(|s| s.fault.as_ref()).map(|f| f.created.0).filter(|t| *t >= record.at);
        return Event { record, result: Some("Error"), finished: at };
    }
    let ready = status.and_then(|s| find_condition(&s.conditions, condition::READY));
    let finished = ready.map(|c| c.last_transition_time.0).filter(|t| *t >= record.at);
    Event { record, result: Some("Success"), finished }
}

/// Without its steps, as a list has it.
pub fn brief(server: &Server, event: &Event, version: Microversion) -> Value {
    let mut document = superset(server, event);
    at_version(&mut document, EDITS, version);
    document
}

/// With its steps, as far as the caller may see them.
pub fn full(server: &Server, event: &Event, privileged: bool, version: Microversion) -> Value {
    let mut document = superset(server, event);
    if privileged || version >= STEPS {
        let record = &event.record;
        let name = match record.action.as_str() {
            "create" => "compute__do_build_and_run_instance".to_owned(),
            "delete" => "compute_terminate_instance".to_owned(),
            other => format!("compute_{}_instance", other.to_ascii_lowercase()),
        };
        let mut step = json!({
            "event": name, "start_time": time::micros_bare(record.at),
            "finish_time": event.finished.map(time::micros_bare), "result": event.result,
            "hostId": facts::host_id(server), "details": null,
        });
        if privileged {
            step["traceback"] = Value::Null;
            step["host"] = server.status.as_ref().and_then(|s| s.host.clone()).unwrap_or_default().into();
        }
        document["events"] = json!([step]);
    }
    at_version(&mut document, EDITS, version);
    document
}

fn superset(server: &Server, event: &Event) -> Value {
    let record = &event.record;
    let user = Some(&record.user).filter(|u| !u.is_empty());
    json!({
        "action": record.action, "instance_uuid": view::id(server), "request_id": record.request,
        "user_id": user, "project_id": record.project.as_ref().or(server.metadata.namespace.as_ref()),
        "start_time": time::micros_bare(record.at), "updated_at": time::micros_bare(event.updated()),
        "message": event.result.filter(|r| *r == "Error"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn server() -> Server {
        let mut server = Server::new("a", Default::default());
        server.metadata.namespace = Some("prod".into());
        server.metadata.uid = Some(uuid::Uuid::from_u128(1).to_string());
        server.status = serde_json::from_value(json!({
            "host": "n1", "state": {"status": "ACTIVE", "vmState": "active", "powerState": "Running"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "AsWished", "message": "",
                            "lastTransitionTime": "2026-01-01T00:00:09Z"}],
        }))
        .unwrap();
        for (action, second) in [("create", 1), ("reboot", 5)] {
            let at = format!("2026-01-01T00:00:0{second}Z").parse().unwrap();
            let record =
                Record { action: action.into(), request: format!("req-{second}"), user: "u".into(), project: None, at };
            record::note(&mut server.metadata, &record);
        }
        server
    }

    fn keys(value: &Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_newest_comes_first_and_the_last_one_tells_its_end() {
        let events = events(&Stores::empty(), &server());
        assert_eq!(events.iter().map(|e| e.record.action.as_str()).collect::<Vec<_>>(), ["reboot", "create"]);
        assert_eq!(events[0].finished, Some("2026-01-01T00:00:09Z".parse().unwrap()));
        assert_eq!((events[1].result, events[1].finished), (Some("Success"), None));
    }

    #[test]
    fn what_goes_on_has_no_result_and_an_error_is_told() {
        let mut busy = server();
        busy.spec.power_state = ostler_crds::server::PowerState::Stopped;
        assert_eq!(events(&Stores::empty(), &busy)[0].result, None);
        let mut broken = server();
        broken.status = serde_json::from_value(json!({
            "state": {"status": "ERROR", "vmState": "error", "powerState": "NoState"},
        }))
        .unwrap();
        let event = &events(&Stores::empty(), &broken)[0];
        assert_eq!(
            (event.result, brief(&broken, event, Microversion(1))["message"].as_str()),
            (Some("Error"), Some("Error"))
        );
    }

    #[test]
    fn a_server_that_is_going_tells_its_deletion() {
        let mut going = server();
        let at = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time("2026-01-01T01:00:00Z".parse().unwrap());
        going.metadata.deletion_timestamp = Some(at);
        assert_eq!(events(&Stores::empty(), &going)[0].record.action, "delete");
    }

    #[test]
    fn each_version_has_its_keys() {
        let server = server();
        let event = events(&Stores::empty(), &server).remove(0);
        let old = ["action", "instance_uuid", "message", "project_id", "request_id", "start_time", "user_id"];
        assert_eq!(keys(&brief(&server, &event, Microversion(57))), old.map(str::to_owned).into());
        assert!(brief(&server, &event, Microversion(58)).get("updated_at").is_some());
        let step = |version, privileged| full(&server, &event, privileged, Microversion(version))["events"][0].clone();
        assert!(step(50, false).is_null() && !step(50, true).is_null());
        assert_eq!(keys(&step(51, false)), ["event", "finish_time", "result", "start_time"].map(str::to_owned).into());
        assert!(step(61, false).get("hostId").is_none() && step(62, false).get("hostId").is_some());
        assert!(step(62, false).get("host").is_none() && step(62, true).get("host").is_some());
        assert!(step(83, false).get("details").is_none() && step(84, false).get("details").is_some());
    }
}
