//! `POST /servers` (spec C-04).

use http::StatusCode;
use jiff::Timestamp;
use ostler_crds::{
    OpenStackId, Server,
    security_group::DEFAULT,
    server::{AdminPassword, SchedulerHints},
};
use serde_json::{Map, Value, json};

use super::{
    block_devices,
    convert::{self, Resolved},
    networks, resolve, text,
    wire::{CREATE, CREATE_OUTER, Create},
};
use crate::{
    app::App,
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    nova::{actions::password, instance_actions::record::Record, quotas::admit, server_groups::hints},
    shape::{fields, links},
    store::{server_groups, servers},
};

/// Makes one server, or several.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (create, hints) = read(inbound.json().await?, inbound.version)?;
    convert::check(&create, inbound.version)?;
    let count = convert::count(&create)?;
    let mut resolved = resolve(&inbound.app, &permit, &create, inbound.version).await?;
    resolved.hints = honoured(&inbound.app, &permit, &hints).await?;
    let least = u32::try_from(create.min_count.unwrap_or(1)).unwrap_or(1);
    let count = admit::servers(&inbound.app, &permit, &resolved.flavor, least, count)?;
    admit::metadata(&inbound.app, &permit, create.metadata.len())?;
    let admin_pass = create.admin_pass.clone().unwrap_or_else(|| text::random(12));
    resolved.password = Some(AdminPassword { hash: password::hashed(admin_pass.clone()).await? });
    let event = Record::new("create", &inbound, &permit, Timestamp::now());
    let reservation = format!("r-{}", text::random(8).to_lowercase());
    let wished = convert::servers(&create, &resolved, &event, &reservation, count);
    let first = make(&inbound.app, &permit, wished).await?;
    if create.return_reservation_id == Some(true) {
        return Ok(Reply::json(StatusCode::ACCEPTED, &json!({ "reservation_id": reservation })));
    }
    let id = first.to_string();
    let called: Vec<&str> = create.security_groups.iter().flatten().map(|g| g.name.as_str()).collect();
    let groups = if called.is_empty() { vec![DEFAULT] } else { called };
    let groups: Vec<Value> = groups.iter().map(|name| json!({ "name": name })).collect();
    let document = json!({"server": {
        "links": links::both(&inbound.base, "servers", &id),
        "OS-DCF:diskConfig": create.notes.disk_config.as_deref().unwrap_or("MANUAL"),
        "security_groups": groups,
        "adminPass": admin_pass,
        "id": id,
    }});
    let location = inbound.base.compute(&format!("servers/{id}"));
    Ok(Reply::json(StatusCode::ACCEPTED, &document).header("location", &location))
}

/// Scheduler hints, with the group that they name.
async fn honoured(app: &App, permit: &Permit, hints: &Map<String, Value>) -> Result<Option<SchedulerHints>, Fault> {
    let group = match hints::group_id(hints) {
        Some(id) => match server_groups::find(&app.client, &app.stores, permit, &id).await {
            Err(fault) if fault.status == StatusCode::NOT_FOUND => None,
            found => Some(found?),
        },
        None => None,
    };
    hints::read(hints, |_| group.clone())
}

/// Reads the body: its keys, then its types.
fn read(body: Value, version: Microversion) -> Result<(Create, Map<String, Value>), Fault> {
    let Value::Object(mut outer) = body else {
        return Err(Fault::bad_request("Malformed request body: an object is expected."));
    };
    fields::check(&outer, CREATE_OUTER, version, "body")?;
    let hints = ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"].into_iter().find_map(|key| outer.remove(key));
    let hints = match hints {
        None => Map::new(),
        Some(Value::Object(hints)) => hints,
        Some(_) => return Err(Fault::invalid_field("os:scheduler_hints", "It is not of type 'object'.")),
    };
    let server: Map<String, Value> = match outer.remove("server") {
        Some(Value::Object(server)) => server,
        _ => return Err(Fault::bad_request("'server' is a required property")),
    };
    fields::check(&server, CREATE, version, "server")?;
    Ok((fields::read(server, "server")?, hints))
}

async fn resolve(app: &App, permit: &Permit, create: &Create, version: Microversion) -> Result<Resolved, Fault> {
    let mapped = block_devices::image(create.block_device_mapping_v2.as_deref())?;
    let named = create.image_ref.clone().filter(|i| !i.is_empty());
    let image = match (named, mapped) {
        (Some(a), Some(b)) if !a.ends_with(&b) => {
            return Err(Fault::bad_request("imageRef and block_device_mapping_v2 name different images."));
        }
        (Some(image), _) | (None, Some(image)) => image,
        (None, None) => {
            return Err(Fault::bad_request("Invalid imageRef provided: this version has no volumes to boot from."));
        }
    };
    let groups = create.security_groups.iter().flatten().map(|g| g.name.as_str());
    let security_groups = resolve::security_groups(app, permit, groups)?;
    let flavor = resolve::flavor(app, permit, &create.flavor_ref)?;
    Ok(Resolved {
        image: resolve::image(app, permit, &image, &flavor).await?,
        flavor: flavor.metadata.name.clone().unwrap_or_default(),
        key_pair: create.key_name.as_deref().map(|k| resolve::key_pair(app, permit, k)).transpose()?,
        networks: resolve::networks(app, permit, networks::read(create.networks.clone(), version)?)?,
        zone: resolve::zone(app, create.availability_zone.clone())?,
        security_groups,
        ..Resolved::default()
    })
}

/// Makes them all or none; the id of the first.
async fn make(app: &App, permit: &Permit, wished: Vec<Server>) -> Result<OpenStackId, Fault> {
    let mut made = Vec::new();
    for server in wished {
        match servers::create(&app.client, &app.stores, permit, server).await {
            Ok(server) => made.push(server),
            Err(fault) => {
                for server in made {
                    // The first fault is what the client must hear of.
                    let _ = servers::delete(&app.client, &app.stores, permit, &server).await;
                }
                return Err(fault);
            }
        }
    }
    let first = made.first().ok_or_else(|| Fault::bad_request("Nothing to create."))?;
    OpenStackId::of(&first.metadata).map_err(|e| Fault::internal("id of a new server", &e))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdict(body: Value, version: u16) -> Result<String, u16> {
        read(body, Microversion(version)).map(|c| c.0.name).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn unknown_keys_are_refused_as_nova_does() {
        let good = json!({"server": {"name": "a", "flavorRef": "1", "imageRef": "i"}});
        assert_eq!(verdict(good, 1), Ok("a".into()));
        for bad in [
            json!({"server": {"name": "a", "flavorRef": "1", "colour": "red"}}),
            json!({"server": {"name": "a", "flavorRef": "1", "description": "d"}}),
            json!({"server": {"name": "a"}}),
            json!({"server": {"name": 1, "flavorRef": "1"}}),
            json!({"server": {"name": "a", "flavorRef": "1", "config_drive": "perhaps"}}),
            json!({"server": {"name": "a", "flavorRef": "1"}, "os:scheduler_hints": []}),
            json!({"servers": {}}),
            json!([]),
        ] {
            assert_eq!(verdict(bad.clone(), 1), Err(400), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(key in "[a-zA-Z_]{1,12}", text in "\\PC{0,40}", number in any::<i64>()) {
            for value in [json!(text), json!(number), json!([text]), json!({"x": number}), Value::Null] {
                let _ = verdict(json!({"server": {"name": "a", "flavorRef": "1", &key: value}}), 96);
            }
        }
    }
}
