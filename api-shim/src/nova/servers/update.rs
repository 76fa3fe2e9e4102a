//! `PUT /servers/{id}` (spec C-07): name, description and the access addresses.

use ostler_crds::Server;
use serde_json::json;

use super::{
    facts, text,
    view::{self, Document},
    wire::{UPDATE, Update},
};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    shape::fields,
    store::servers,
};

/// Changes what may be changed while the guest runs.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("server").await?;
    fields::check(&body, UPDATE, inbound.version, "server")?;
    let update: Update = fields::read(body, "server")?;
    check(&update, inbound.version)?;
    let app = &inbound.app;
    let change = |server: &mut Server| {
        apply(&update, server);
        Ok(())
    };
    let server = servers::change(&app.client, &app.stores, &permit, inbound.param("id"), change).await?;
    let facts = facts::gather(&app.stores, &server, facts::privileged(app, &permit).await?);
    let document = view::full(&server, &facts, &inbound.base, Document::Update, inbound.version);
    Ok(Reply::ok(&json!({ "server": document })))
}

fn check(update: &Update, version: Microversion) -> Result<(), Fault> {
    update.name.as_deref().map_or(Ok(()), |n| text::name_at("server.name", n))?;
    update.hostname.as_deref().map_or(Ok(()), |h| text::hostname("server.hostname", h, version))?;
    update.description.as_ref().and_then(|d| d.as_deref()).map_or(Ok(()), text::description)?;
    update.notes.check("server")
}

fn apply(update: &Update, server: &mut Server) {
    if let Some(name) = &update.name {
        server.spec.display_name = Some(name.clone());
    }
    if let Some(description) = &update.description {
        server.spec.description = description.clone().filter(|d| !d.is_empty());
    }
    if let Some(hostname) = &update.hostname {
        server.spec.hostname = Some(hostname.clone());
    }
    update.notes.apply(server);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_clears_a_description_and_absence_keeps_it() {
        let mut server = Server::new("a", Default::default());
        server.spec.description = Some("old".into());
        let read = |v| serde_json::from_value::<Update>(v).unwrap();
        apply(&read(json!({"name": "n", "hostname": "h"})), &mut server);
        assert_eq!((server.spec.description.as_deref(), server.spec.hostname.as_deref()), (Some("old"), Some("h")));
        apply(&read(json!({"description": null})), &mut server);
        assert_eq!((server.spec.description, server.spec.display_name.as_deref()), (None, Some("n")));
    }
}
