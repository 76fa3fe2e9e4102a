//! `GET /servers` and `GET /servers/detail` (spec C-03, C-05).

use serde_json::{Value, json};

use super::{
    facts,
    filter::{Asker, Filter},
    sort,
    view::{self, Document},
};
use crate::{
    authorize::{Permit, Scope, rule::common},
    fault::Fault,
    http::{Inbound, Reply, page::Page, query::truth},
    shape::links,
    store::reads,
};

/// Largest page.
const MAX_PAGE: usize = 1000;

/// Id, name and links of each.
pub async fn brief(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    list(inbound, permit, false).await
}

/// Each in full.
pub async fn detail(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    list(inbound, permit, true).await
}

async fn list(inbound: Inbound, permit: Permit, detail: bool) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let permit = widen(&inbound, permit).await?;
    let privileged = facts::privileged(app, &permit).await?;
    let wide = permit.rule().scope == Scope::Cluster;
    let filter = Filter::of(&inbound.query, Asker { version: inbound.version, privileged, wide })?;
    let page = Page::of(&inbound.query, MAX_PAGE, MAX_PAGE)?;
    let mut servers = if filter.wants_present() { reads::servers(&app.stores, &permit) } else { Vec::new() };
    if filter.wants_gone() {
        servers.extend(reads::tombstones(&app.stores, &permit));
    }
    servers.retain(|s| filter.fits(s, &app.stores));
    sort::sort(&mut servers, &inbound.query, inbound.version, privileged)?;
    // Nova takes a limit of 0 at its word here.
    if inbound.query.number::<u64>("limit")? == Some(0) {
        servers.clear();
    }
    let (servers, more) = page.cut(servers, |s| view::id(s))?;
    let item = |server: &ostler_crds::Server| {
        if !detail {
            return view::brief(server, &inbound.base);
        }
        let facts = facts::gather(&app.stores, server, privileged);
        view::full(server, &facts, &inbound.base, Document::Entry, inbound.version)
    };
    let items: Vec<Value> = servers.iter().map(|s| item(s)).collect();
    let mut document = json!({ "servers": items });
    if let Some(last) = servers.last().filter(|_| more) {
        document["servers_links"] = links::next(&inbound, &view::id(last));
    }
    Ok(Reply::ok(&document))
}

/// `all_tenants` asks for a permission over the whole cluster.
async fn widen(inbound: &Inbound, permit: Permit) -> Result<Permit, Fault> {
    let wide = match inbound.query.get("all_tenants") {
        None => false,
        Some("") => true,
        Some(word) => truth(word).ok_or_else(|| Fault::invalid_field("all_tenants", "It is not a boolean."))?,
    };
    if !wide {
        return Ok(permit);
    }
    inbound.app.authorizer.authorize(permit.caller().clone(), common::ALL_PROJECTS, |_, _| None).await
}
