//! Metadata of a server (spec C-09 … C-14, C-37 … C-42).

use std::collections::BTreeMap;

use http::StatusCode;
use ostler_crds::Server;
use serde_json::{Map, Value, json};

use super::text;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::actions::{
        run::{self, find},
        table::CHANGE_METADATA,
    },
};

fn missing() -> Fault {
    Fault::not_found("Metadata item was not found")
}

/// C-09: all items.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let server = find(&inbound, &permit).await?;
    Ok(Reply::ok(&json!({"metadata": server.spec.metadata})))
}

/// C-12: one item.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (server, key) = (find(&inbound, &permit).await?, inbound.param("key"));
    let value = server.spec.metadata.get(key).ok_or_else(missing)?;
    Ok(Reply::ok(&json!({"meta": {key: value}})))
}

/// C-10: replaces all items.
pub async fn replace(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let items = items(&mut inbound).await?;
    write_all(&inbound, &permit, |_| items.clone()).await
}

/// C-11: merges items in.
pub async fn merge(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let items = items(&mut inbound).await?;
    let merged =
        |old: &BTreeMap<String, String>| old.iter().chain(&items).map(|(k, v)| (k.clone(), v.clone())).collect();
    write_all(&inbound, &permit, merged).await
}

/// C-13: sets one item. The body is `meta`; the seeds also print `metadata` (spec D-01), so both are read.
pub async fn set(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let key = inbound.param("key").to_owned();
    let Value::Object(mut outer) = inbound.json().await? else {
        return Err(Fault::bad_request("Malformed request body: an object is expected."));
    };
    let Some(Value::Object(meta)) = outer.remove("meta").or_else(|| outer.remove("metadata")) else {
        return Err(Fault::bad_request("'meta' is a required property"));
    };
    let item = one(&meta, &key)?;
    write_all(&inbound, &permit, |old| {
        let mut new = old.clone();
        new.insert(key.clone(), item.clone());
        new
    })
    .await?;
    Ok(Reply::ok(&json!({"meta": {key: item}})))
}

/// C-14: removes one item.
pub async fn remove(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let key = inbound.param("key");
    let change = |server: &mut Server| server.spec.metadata.remove(key).map(drop).ok_or_else(missing);
    run::change(&CHANGE_METADATA, &inbound, &permit, change).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn items(inbound: &mut Inbound) -> Result<BTreeMap<String, String>, Fault> {
    text::metadata(&inbound.json_under("metadata").await?)
}

/// The one item of a body, whose key must be that of the path.
fn one(meta: &Map<String, Value>, key: &str) -> Result<String, Fault> {
    let mut entries = meta.iter();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else {
        return Err(Fault::bad_request("Request body contains too many items or none"));
    };
    if name != key {
        return Err(Fault::bad_request("Request body and URI mismatch"));
    }
    text::metadata_key(key)?;
    text::metadata_value(key, value)
}

async fn write_all(
    inbound: &Inbound,
    permit: &Permit,
    new: impl Fn(&BTreeMap<String, String>) -> BTreeMap<String, String>,
) -> Result<Reply, Fault> {
    let change = |server: &mut Server| {
        let items = new(&server.spec.metadata);
        text::metadata_count(&items)?;
        server.spec.metadata = items;
        Ok(())
    };
    let server = run::change(&CHANGE_METADATA, inbound, permit, change).await?;
    Ok(Reply::ok(&json!({"metadata": server.spec.metadata})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_body_is_that_of_the_path() {
        let read = |v: Value, key: &str| one(v.as_object().unwrap(), key).map_err(|f| f.status.as_u16());
        assert_eq!(read(json!({"a": "1"}), "a"), Ok("1".into()));
        for bad in [json!({"b": "1"}), json!({"a": "1", "b": "2"}), json!({}), json!({"a": 1})] {
            assert_eq!(read(bad.clone(), "a"), Err(400), "{bad}");
        }
    }

    #[test]
    fn a_server_that_is_being_built_keeps_its_metadata() {
        let server = Server::new("a", Default::default());
        let said = crate::nova::actions::state::check(&server, &CHANGE_METADATA).unwrap_err();
        assert_eq!(said.status.as_u16(), 409);
        assert!(said.message.starts_with("Cannot 'update metadata' instance"), "{}", said.message);
    }
}
