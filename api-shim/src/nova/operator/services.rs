//! `/os-services`: the node roles as compute services. Disabled: no new guests (`Host.spec.schedulable`).

use std::sync::Arc;

use kube::ResourceExt;
use ostler_crds::Host;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::host;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    observe::clean,
    shape::{Edit, Field, at_version, fields, time},
    store::{hosts, updated_at},
};

const UUIDS: Microversion = Microversion(53);
const BINARY: &str = "nova-compute";
const EDITS: &[Edit] = &[Edit::added(11, "forced_down")];

fn document(host: &Host, version: Microversion) -> Value {
    let id = host::service_uuid(host);
    let id = if version >= UUIDS { json!(id.to_string()) } else { json!(host::number(id)) };
    let mut document = json!({
        "id": id, "binary": BINARY, "host": host.name_any(), "zone": host.availability_zone(),
        "status": host::status(host), "state": host::state(host),
        "updated_at": updated_at(&host.metadata).map(time::micros_bare), "disabled_reason": host.spec.disabled_reason,
        "forced_down": host.spec.fenced,
    });
    at_version(&mut document, EDITS, version);
    document
}

/// The services, by host and binary.
pub async fn list(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let query = &inbound.query;
    query.strict(&["host", "binary"], inbound.version)?;
    let mut found = host::all(&inbound.app.stores);
    found.retain(|h| {
        query.get("host").is_none_or(|name| h.name_any() == name) && query.get("binary").is_none_or(|b| b == BINARY)
    });
    let found: Vec<Value> = found.iter().map(|h| document(h, inbound.version)).collect();
    Ok(Reply::ok(&json!({ "services": found })))
}

const BY_HOST: &[Field] =
    &[Field::new("host"), Field::new("binary"), Field::new("disabled_reason"), Field::since("forced_down", 11)];
const BY_ID: &[Field] = &[Field::new("status"), Field::new("disabled_reason"), Field::new("forced_down")];

#[derive(Debug, Deserialize)]
struct Wire {
    host: Option<String>,
    binary: Option<String>,
    status: Option<String>,
    disabled_reason: Option<String>,
    #[serde(default, deserialize_with = "fields::lenient_bool")]
    forced_down: Option<bool>,
}

/// What becomes of a Host.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    schedulable: Option<bool>,
    reason: Option<String>,
    forced_down: Option<bool>,
}

impl Change {
    fn apply(&self, host: &mut Host) {
        if let Some(schedulable) = self.schedulable {
            host.spec.schedulable = schedulable;
            host.spec.disabled_reason = self.reason.clone().filter(|_| !schedulable);
        }
        if let Some(forced_down) = self.forced_down {
            host.spec.fenced = forced_down;
        }
    }
}

fn reason(text: Option<String>) -> Result<Option<String>, Fault> {
    match text {
        Some(text) if text.is_empty() || text.chars().count() > 255 => {
            Err(Fault::invalid_field("disabled_reason", "It must be 1 to 255 characters."))
        }
        text => Ok(text),
    }
}

/// A change below 2.53: the last part of the path says what, the body where.
fn by_host(what: &str, body: Map<String, Value>, version: Microversion) -> Result<(String, Change), Fault> {
    fields::check(&body, BY_HOST, version, "body")?;
    let wire: Wire = fields::read(body, "body")?;
    let (Some(name), Some(binary)) = (wire.host, wire.binary) else {
        return Err(Fault::bad_request("'host' and 'binary' are required properties"));
    };
    if binary != BINARY {
        return Err(Fault::not_found(format!("Compute host {} has no service {}.", clean(&name), clean(&binary))));
    }
    let text = reason(wire.disabled_reason)?;
    let change = match (what, text, wire.forced_down) {
        ("enable", None, None) => Change { schedulable: Some(true), ..Change::default() },
        ("disable", None, None) => Change { schedulable: Some(false), ..Change::default() },
        ("disable-log-reason", Some(text), None) => {
            Change { schedulable: Some(false), reason: Some(text), ..Change::default() }
        }
        ("force-down", None, Some(down)) if version >= Microversion(11) => {
            Change { forced_down: Some(down), ..Change::default() }
        }
        ("enable" | "disable" | "disable-log-reason" | "force-down", ..) => {
            return Err(Fault::bad_request("The body does not fit the action."));
        }
        _ => return Err(Fault::not_found("Unknown action")),
    };
    Ok((name, change))
}

/// A change from 2.53 on: the path says where.
fn by_id(body: Map<String, Value>, version: Microversion) -> Result<Change, Fault> {
    fields::check(&body, BY_ID, version, "body")?;
    let wire: Wire = fields::read(body, "body")?;
    let schedulable = match wire.status.as_deref() {
        None => None,
        Some("enabled") => Some(true),
        Some("disabled") => Some(false),
        Some(_) => return Err(Fault::invalid_field("status", "It must be enabled or disabled.")),
    };
    let reason = reason(wire.disabled_reason)?;
    if reason.is_some() && schedulable != Some(false) {
        let why = "Specifying disabled_reason requires that status is disabled.";
        return Err(Fault::bad_request(why));
    }
    if schedulable.is_none() && wire.forced_down.is_none() {
        return Err(Fault::bad_request(
            "No updates were requested. Fields 'status' or 'forced_down' should be specified.",
        ));
    }
    Ok(Change { schedulable, reason, forced_down: wire.forced_down })
}

/// Changes a service.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let Value::Object(body) = inbound.json().await? else {
        return Err(Fault::bad_request("Malformed request body: an object is expected."));
    };
    let (version, id) = (inbound.version, inbound.param("id"));
    let (found, change) = if version >= UUIDS {
        if uuid::Uuid::parse_str(id).is_err() {
            return Err(Fault::bad_request(format!("Invalid uuid {}", clean(id))));
        }
        let change = by_id(body, version)?;
        (host::all(&inbound.app.stores).into_iter().find(|h| host::service_uuid(h).to_string() == id), change)
    } else {
        let (name, change) = by_host(id, body, version)?;
        (inbound.app.stores.hosts.get(None, &name), change)
    };
    let known: Arc<Host> = found.ok_or_else(|| Fault::not_found("The compute service could not be found."))?;
    let app = &inbound.app;
    let host = hosts::change(&app.client, &app.stores, &permit, known, |host| {
        change.apply(host);
        Ok(())
    });
    let host = host.await?;
    if version >= UUIDS {
        return Ok(Reply::ok(&json!({"service": document(&host, version)})));
    }
    let mut service = json!({"host": host.name_any(), "binary": BINARY});
    match (change.forced_down, change.reason) {
        (Some(down), _) => service["forced_down"] = down.into(),
        (None, Some(reason)) => {
            service["status"] = host::status(&host).into();
            service["disabled_reason"] = reason.into();
        }
        (None, None) => service["status"] = host::status(&host).into(),
    }
    Ok(Reply::ok(&json!({ "service": service })))
}

/// Removing a service would say that the machine and all that was on it is gone: that is said by deleting the Host.
pub async fn remove(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Err(Fault::not_served(
        "Removing a compute service (delete the Host in Kubernetes, when all that was on it is gone)",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(body: Value) -> Map<String, Value> {
        body.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_change_is_read_in_both_forms() {
        let body = |more: Value| {
            let mut body = object(json!({"host": "h", "binary": "nova-compute"}));
            body.extend(object(more));
            body
        };
        let old = |what: &str, more: Value, v: u16| {
            by_host(what, body(more), Microversion(v)).map(|(_, c)| c).map_err(|f| f.status.as_u16())
        };
        assert_eq!(old("disable", json!({}), 1), Ok(Change { schedulable: Some(false), ..Change::default() }));
        assert!(old("disable-log-reason", json!({"disabled_reason": "fan"}), 1).is_ok());
        assert_eq!(old("disable-log-reason", json!({}), 1), Err(400));
        assert_eq!(old("explode", json!({}), 1), Err(404));
        assert_eq!(old("force-down", json!({"forced_down": true}), 10), Err(400));
        assert!(old("force-down", json!({"forced_down": true}), 11).is_ok());
        let new = |more: Value| by_id(object(more), Microversion(53)).map_err(|f| f.status.as_u16());
        assert_eq!(new(json!({"status": "enabled"})), Ok(Change { schedulable: Some(true), ..Change::default() }));
        for bad in [json!({}), json!({"status": "x"}), json!({"disabled_reason": "x"}), json!({"colour": 1})] {
            assert_eq!(new(bad.clone()), Err(400), "{bad}");
        }
    }

    #[test]
    fn enabling_forgets_the_reason() {
        let mut host: Host = Host::new("h", Default::default());
        Change { schedulable: Some(false), reason: Some("fan".into()), ..Change::default() }.apply(&mut host);
        assert_eq!((host.spec.schedulable, host.spec.disabled_reason.as_deref()), (false, Some("fan")));
        Change { schedulable: Some(true), ..Change::default() }.apply(&mut host);
        assert_eq!((host.spec.schedulable, host.spec.disabled_reason), (true, None));
    }
}
