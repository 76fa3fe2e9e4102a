//! `/v3/domains` and `/v3/auth/domains`: there is one.

use serde_json::{Value, json};

use super::{DOMAIN_ID, DOMAIN_NAME, view};
use crate::{
    authenticate::Caller,
    authorize::roles,
    fault::Fault,
    http::{Inbound, Reply, Service},
};

fn domain(inbound: &Inbound) -> Value {
    json!({
        "id": DOMAIN_ID, "name": DOMAIN_NAME, "enabled": true, "options": {}, "tags": [],
        "description": "The only domain: its users are those of the release, its projects the labelled namespaces.",
        "links": {"self": format!("{}/v3/domains/{DOMAIN_ID}", inbound.base.service(Service::Identity))},
    })
}

/// `GET /v3/domains`. Whoever has a token knows the domain: it is in the token.
pub async fn list(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    let named = inbound.query.get("name").is_none_or(|n| n.eq_ignore_ascii_case(DOMAIN_NAME));
    let enabled = inbound.query.flag("enabled")?.unwrap_or(true);
    let items = if named && enabled { vec![domain(&inbound)] } else { Vec::new() };
    Ok(Reply::ok(&view::list(&inbound, "domains", items)))
}

/// `GET /v3/domains/{id}`.
pub async fn show(inbound: Inbound, _: Caller) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    if id != DOMAIN_ID {
        return Err(Fault::not_found(format!("Could not find domain: {}.", crate::observe::clean(id))));
    }
    Ok(Reply::ok(&json!({"domain": domain(&inbound)})))
}

/// `GET /v3/auth/domains`: those that the caller may have a token for.
pub async fn own(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let wide = !roles::wide(&inbound.app.authorizer, &caller.user).await?.is_empty();
    let items = if wide { vec![domain(&inbound)] } else { Vec::new() };
    Ok(Reply::ok(&view::list(&inbound, "domains", items)))
}

/// `GET /v3/auth/system`.
pub async fn system(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let wide = !roles::wide(&inbound.app.authorizer, &caller.user).await?.is_empty();
    let items = if wide { vec![json!({"all": true})] } else { Vec::new() };
    Ok(Reply::ok(&view::list(&inbound, "system", items)))
}
