//! `GET /os-server-groups`.

use serde_json::{Value, json};

use super::view;
use crate::{
    authorize::{Permit, Rule},
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    store::server_groups,
};

/// From here on unknown keys of the query are 400.
const STRICT: Microversion = Microversion(75);
const EVERYWHERE: Rule = Rule::on("list", "servergroups").everywhere();

/// The project's groups; those of all projects for administrators who ask.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    if inbound.version >= STRICT {
        inbound.query.only(&["all_projects", "limit", "offset"])?;
    }
    let (limit, offset) = (inbound.query.number::<usize>("limit")?, inbound.query.number::<usize>("offset")?);
    let app = &inbound.app;
    // Who may not see the others' is shown his own, as in Nova.
    let wide = inbound.query.get("all_projects").is_some() && app.authorizer.may_also(&permit, EVERYWHERE).await?;
    let groups = server_groups::all(&app.stores, &permit, wide);
    let shown = groups.iter().skip(offset.unwrap_or(0)).take(limit.filter(|l| *l > 0).unwrap_or(1000).min(1000));
    let groups: Vec<Value> = shown.map(|g| view::full(g, &app.stores, inbound.version)).collect();
    Ok(Reply::ok(&json!({ "server_groups": groups })))
}
