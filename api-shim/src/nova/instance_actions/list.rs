//! `GET /servers/{id}/os-instance-actions`; pages and times from 2.58 and 2.66 on, deleted servers from 2.21.

use std::sync::Arc;

use jiff::Timestamp;
use ostler_crds::Server;
use serde_json::{Value, json};

use super::view::{self, Event};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply, page::Page},
    shape::{links, time},
    store::{reads, servers},
};

/// From here on events of deleted servers are shown.
const DELETED: Microversion = Microversion(21);
/// From here on there are pages, and a time to ask for.
const PAGES: Microversion = Microversion(58);
/// From here on there is another time to ask for.
const BEFORE: Microversion = Microversion(66);
const MAX_PAGE: usize = 1000;

/// The server, which may be gone.
pub async fn server(inbound: &Inbound, permit: &Permit) -> Result<Arc<Server>, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let found = servers::find(&app.client, &app.stores, permit, id).await;
    match found {
        Err(fault) if fault.status == http::StatusCode::NOT_FOUND && inbound.version >= DELETED => {
            reads::tombstone(&app.stores, permit, id).ok_or(fault)
        }
        found => found,
    }
}

/// The events, the newest first.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let paged = inbound.version >= PAGES;
    let (since, before) = times(&inbound)?;
    let server = server(&inbound, &permit).await?;
    let mut events = view::events(&inbound.app.stores, &server);
    let mut more = false;
    if paged {
        events.retain(|e| since.is_none_or(|t| e.updated() >= t) && before.is_none_or(|t| e.updated() <= t));
        (events, more) = Page::of(&inbound.query, MAX_PAGE, MAX_PAGE)?.cut(events, |e| e.record.request.clone())?;
    }
    let item = |event: &Event| view::brief(&server, event, inbound.version);
    let mut document = json!({"instanceActions": events.iter().map(item).collect::<Vec<Value>>()});
    if let Some(last) = events.last().filter(|_| more) {
        document["links"] = links::next(&inbound, &last.record.request);
    }
    Ok(Reply::ok(&document))
}

/// `changes-since` and `changes-before`.
fn times(inbound: &Inbound) -> Result<(Option<Timestamp>, Option<Timestamp>), Fault> {
    if inbound.version < PAGES {
        return Ok((None, None));
    }
    let known: &[&str] = match inbound.version >= BEFORE {
        true => &["limit", "marker", "changes-since", "changes-before"],
        false => &["limit", "marker", "changes-since"],
    };
    inbound.query.only(known)?;
    let read = |key: &str| {
        let bad = || Fault::invalid_field(key, "It is not a time.");
        inbound.query.get(key).map(|text| time::parse(text).ok_or_else(bad)).transpose()
    };
    let (since, before) = (read("changes-since")?, read("changes-before")?);
    if since.zip(before).is_some_and(|(s, b)| b < s) {
        return Err(Fault::bad_request("The value of changes-since must be less than or equal to changes-before."));
    }
    Ok((since, before))
}
