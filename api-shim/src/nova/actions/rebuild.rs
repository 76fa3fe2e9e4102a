//! `rebuild` (spec C-19): the root disk made anew; id and addresses stay.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use ostler_crds::{
    Server,
    server::{ActionType, AdminPassword, ServerAction, UserData},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{body, password, run, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    nova::servers::{
        facts, notes, resolve, text,
        view::{self, Document},
    },
    shape::fields::{lenient_bool, nullable},
};

/// The body, as the table of actions has checked its keys.
#[derive(Debug, Deserialize)]
struct Rebuild {
    #[serde(rename = "imageRef")]
    image_ref: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "adminPass", default)]
    admin_pass: Option<String>,
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "lenient_bool")]
    preserve_ephemeral: Option<bool>,
    #[serde(flatten)]
    notes: notes::Asked,
    #[serde(default)]
    personality: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "nullable")]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    key_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    user_data: Option<Option<String>>,
    #[serde(default)]
    trusted_image_certificates: Option<Vec<Value>>,
    #[serde(default)]
    hostname: Option<String>,
}

/// What its ids and names stand for.
struct Resolved {
    password: AdminPassword,
    image: String,
    key_pair: Option<Option<String>>,
}

/// Makes the disk anew, from the same image or another.
pub async fn rebuild(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let ask: Rebuild = body::read(argument, row.name)?;
    check(&ask, inbound.version)?;
    let known = run::find_fit(row, &inbound, &permit).await?;
    let app = &inbound.app;
    let password = ask.admin_pass.clone().unwrap_or_else(|| text::random(12));
    let resolved = Resolved {
        password: AdminPassword { hash: password::hashed(password.clone()).await? },
        image: resolve::image_for(app, &permit, &ask.image_ref, &known).await?,
        key_pair: match &ask.key_name {
            Some(Some(name)) => Some(Some(resolve::key_pair(app, &permit, name)?)),
            Some(None) => Some(None),
            None => None,
        },
    };
    let action = ServerAction { id: Uuid::new_v4().to_string(), type_: ActionType::Rebuild };
    let server = run::change(row, &inbound, &permit, |server| apply(&ask, &resolved, &action, server)).await?;
    let facts = facts::gather(&app.stores, &server, facts::privileged(app, &permit).await?);
    let mut document = view::full(&server, &facts, &inbound.base, Document::Rebuild, inbound.version);
    document["adminPass"] = json!(password);
    let location = inbound.base.compute(&format!("servers/{}", view::id(&server)));
    Ok(Reply::json(StatusCode::ACCEPTED, &json!({ "server": document })).header("location", &location))
}

fn check(ask: &Rebuild, version: Microversion) -> Result<(), Fault> {
    let path = |key: &str| format!("rebuild.{key}");
    ask.name.as_deref().map_or(Ok(()), |n| text::name_at(&path("name"), n))?;
    ask.description.as_ref().and_then(|d| d.as_deref()).map_or(Ok(()), text::description)?;
    text::metadata_count(&text::metadata(ask.metadata.as_ref().unwrap_or(&Map::new()))?)?;
    ask.notes.check("rebuild")?;
    ask.hostname.as_deref().map_or(Ok(()), |h| text::hostname(&path("hostname"), h, version))?;
    if ask.preserve_ephemeral == Some(true) {
        return Err(Fault::bad_request("The current driver does not support preserving ephemeral partitions."));
    }
    if ask.personality.as_ref().is_some_and(|p| !p.is_empty()) {
        return Err(Fault::invalid_field(&path("personality"), "Files are not served by this version: use user_data."));
    }
    if ask.trusted_image_certificates.as_ref().is_some_and(|t| !t.is_empty()) {
        return Err(Fault::invalid_field(&path("trusted_image_certificates"), "They are not served by this version."));
    }
    match &ask.user_data {
        Some(Some(data)) if data.len() > 65_535 || STANDARD.decode(data.replace(['\r', '\n'], "")).is_err() => {
            Err(Fault::invalid_field(&path("user_data"), "It is not base64 of up to 65535 characters."))
        }
        _ => Ok(()),
    }
}

/// Another image is a rebuild by itself; the action is there for the same one, and it takes the place of what was asked
/// before, such as to be shown as ERROR. Pure.
fn apply(ask: &Rebuild, resolved: &Resolved, action: &ServerAction, server: &mut Server) -> Result<(), Fault> {
    let spec = &mut server.spec;
    spec.action = Some(action.clone());
    spec.image = Some(resolved.image.clone());
    spec.admin_password = Some(resolved.password.clone());
    if let Some(name) = &ask.name {
        spec.display_name = Some(name.clone());
    }
    if let Some(metadata) = &ask.metadata {
        spec.metadata = text::metadata(metadata)?;
    }
    if let Some(description) = &ask.description {
        spec.description = description.clone().filter(|d| !d.is_empty());
    }
    if let Some(key_pair) = &resolved.key_pair {
        spec.key_pair = key_pair.clone();
    }
    if let Some(data) = &ask.user_data {
        spec.user_data = data.clone().map(|base64| UserData { base64: Some(base64), ..UserData::default() });
    }
    if let Some(hostname) = &ask.hostname {
        spec.hostname = Some(hostname.clone());
    }
    ask.notes.apply(server);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(more: Value) -> Rebuild {
        let mut body = json!({"imageRef": "i"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body::read(body, "rebuild").unwrap()
    }

    fn rebuilt(more: Value, image: &str) -> Server {
        let mut server = Server::new("a", Default::default());
        server.spec.image = Some("debian".into());
        server.spec.metadata = [("a".to_owned(), "b".to_owned())].into();
        server.spec.description = Some("old".into());
        let action = ServerAction { id: "1".into(), type_: ActionType::Rebuild };
        let resolved =
            Resolved { password: AdminPassword { hash: "$6$a$b".into() }, image: image.into(), key_pair: None };
        apply(&ask(more), &resolved, &action, &mut server).unwrap();
        server
    }

    #[test]
    fn c19_a_rebuild_is_an_action_and_perhaps_another_image() {
        for image in ["debian", "golden/debian"] {
            let spec = rebuilt(json!({}), image).spec;
            assert_eq!((spec.image.as_deref(), spec.action.map(|a| a.type_)), (Some(image), Some(ActionType::Rebuild)));
        }
    }

    #[test]
    fn what_is_named_changes_and_what_is_not_stays() {
        let kept = rebuilt(json!({}), "debian");
        assert_eq!((kept.spec.metadata.len(), kept.spec.description.as_deref()), (1, Some("old")));
        let new = rebuilt(json!({"metadata": {}, "description": null, "name": "n", "user_data": "aGk="}), "debian");
        assert!(new.spec.metadata.is_empty() && new.spec.description.is_none());
        assert_eq!(new.spec.display_name.as_deref(), Some("n"));
        assert_eq!(new.spec.user_data.and_then(|u| u.base64).as_deref(), Some("aGk="));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for bad in [
            json!({"name": ""}),
            json!({"personality": [{}]}),
            json!({"preserve_ephemeral": true}),
            json!({"user_data": "not base64!"}),
            json!({"accessIPv4": "fe80::1"}),
            json!({"hostname": "a_b"}),
            json!({"metadata": {"a": 1}}),
        ] {
            assert_eq!(check(&ask(bad.clone()), Microversion(93)).unwrap_err().status.as_u16(), 400, "{bad}");
        }
    }
}
