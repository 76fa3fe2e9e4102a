//! `PUT /servers/{id}` (spec C-07): name, description and the access addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use ostler_crds::Server;
use serde_json::json;

use super::{
    convert, facts, text,
    view::{self, Document},
    wire::{UPDATE, Update},
};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    shape::fields,
    store::{names, servers},
};

/// Changes what may be changed while the guest runs.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("server").await?;
    fields::check(&body, UPDATE, inbound.version, "server")?;
    let update: Update = fields::read(body, "server")?;
    check(&update)?;
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

fn check(update: &Update) -> Result<(), Fault> {
    update.name.as_deref().map_or(Ok(()), text::name)?;
    update.description.as_ref().and_then(|d| d.as_deref()).map_or(Ok(()), text::description)?;
    convert::disk_config(update.disk_config.as_deref())?;
    convert::access::<Ipv4Addr>("server.accessIPv4", update.access_ipv4.as_deref())?;
    convert::access::<Ipv6Addr>("server.accessIPv6", update.access_ipv6.as_deref())
}

fn apply(update: &Update, server: &mut Server) {
    if let Some(name) = &update.name {
        server.spec.display_name = Some(name.clone());
    }
    if let Some(description) = &update.description {
        server.spec.description = description.clone().filter(|d| !d.is_empty());
    }
    let notes = [
        (names::ACCESS_IPV4, update.access_ipv4.clone()),
        (names::ACCESS_IPV6, update.access_ipv6.as_deref().map(convert::canonical)),
        (names::DISK_CONFIG, update.disk_config.clone()),
    ];
    for (key, value) in notes {
        let annotations = server.metadata.annotations.get_or_insert_default();
        match value {
            Some(value) if value.is_empty() => drop(annotations.remove(key)),
            Some(value) => drop(annotations.insert(key.to_owned(), value)),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_clears_a_description_and_absence_keeps_it() {
        let mut server = Server::new("a", Default::default());
        server.spec.description = Some("old".into());
        let read = |v| serde_json::from_value::<Update>(v).unwrap();
        apply(&read(json!({"name": "n", "accessIPv6": "FE80:0::1"})), &mut server);
        assert_eq!(server.spec.description.as_deref(), Some("old"));
        assert_eq!(server.metadata.annotations.as_ref().unwrap()[names::ACCESS_IPV6], "fe80::1");
        apply(&read(json!({"description": null, "accessIPv6": ""})), &mut server);
        assert_eq!(server.spec.description, None);
        assert!(server.metadata.annotations.unwrap().is_empty());
    }
}
