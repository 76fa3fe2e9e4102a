//! `POST /os-keypairs` (spec C-44): imports a public key, or makes a pair and shows the private half once.

use http::StatusCode;
use ostler_crds::{KeyPair, KeyPairSpec};
use serde::Deserialize;

use super::{key, owner, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    nova::quotas::admit,
    observe::clean,
    shape::{Field, fields},
    store::{key_pairs, reads, slug},
};

/// Keys of `keypair` in a creation.
pub const FIELDS: &[Field] =
    &[Field::new("name"), Field::new("public_key"), Field::since("type", 2), Field::since("user_id", 10)];
/// Longest public key.
const LONGEST: usize = 16 * 1024;

#[derive(Deserialize)]
struct Wire {
    name: String,
    public_key: Option<String>,
    #[serde(rename = "type")]
    type_: Option<String>,
    user_id: Option<String>,
}

/// 200 at 2.1, 201 from 2.2 on (spec D-17).
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("keypair").await?;
    fields::check(&body, FIELDS, inbound.version, "keypair")?;
    let wire: Wire = fields::read(body, "keypair")?;
    check(&wire, inbound.version)?;
    let user = owner::of(&inbound, &permit, wire.user_id.as_deref()).await?;
    let known = reads::key_pairs(&inbound.app.stores, &permit, &user);
    if known.iter().any(|k| k.display_name() == wire.name) {
        return Err(Fault::conflict(format!("Key pair '{}' already exists.", clean(&wire.name))));
    }
    admit::key_pair(&inbound.app, &permit, &user, known.len())?;
    let (public, private) = match wire.public_key {
        Some(public) => {
            key::fingerprint(&public).map_err(|e| Fault::bad_request(e.to_string()))?;
            (format!("{}\n", public.trim()), None)
        }
        None => {
            let made = tokio::task::spawn_blocking(key::generate).await;
            let made =
                made.map_err(|e| Fault::internal("make key", &e))?.map_err(|e| Fault::internal("make key", &e))?;
            (made.public, Some(made.private))
        }
    };
    let spec = KeyPairSpec {
        display_name: Some(wire.name.clone()),
        public_key: public,
        type_: Default::default(),
        user: Some(user.clone()),
    };
    let pair = KeyPair::new(&slug::slug(&wire.name, "key"), spec);
    let pair = key_pairs::create(&inbound.app.client, &inbound.app.stores, &permit, pair).await?;
    let status = if inbound.version >= Microversion(2) { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Reply::json(status, &view::created(&pair, &user, private.as_deref(), inbound.version)))
}

/// First version that makes no keys, and takes addresses for names.
const IMPORTED: Microversion = Microversion(92);

fn check(wire: &Wire, version: Microversion) -> Result<(), Fault> {
    let imported = version >= IMPORTED;
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_') || (imported && matches!(c, '@' | '.'));
    let name = wire.name.as_str();
    if name.is_empty() || name.len() > 255 || name.trim() != name || !name.chars().all(allowed) {
        let more = if imported { ", '@' and '.'" } else { "" };
        let why = format!("Keypair name must be 1 to 255 letters, digits, spaces, '_' and '-'{more}.");
        return Err(Fault::invalid_field("keypair.name", why));
    }
    if wire.type_.as_deref().is_some_and(|t| t != "ssh") {
        return Err(Fault::invalid_field("keypair.type", "This version serves type ssh only."));
    }
    match wire.public_key.as_deref() {
        None if imported => Err(Fault::invalid_field("keypair", "'public_key' is a required property")),
        Some(key) if key.len() > LONGEST => Err(Fault::invalid_field("keypair.public_key", "It is too long.")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, key: Option<&str>, version: u16) -> u16 {
        let wire = Wire { name: name.into(), public_key: key.map(str::to_owned), type_: None, user_id: None };
        check(&wire, Microversion(version)).map_or_else(|f| f.status.as_u16(), |()| 200)
    }

    #[test]
    fn from_2_92_on_no_keys_are_made_and_addresses_are_names() {
        assert_eq!([verdict("a", None, 91), verdict("a", None, 92), verdict("a", Some("k"), 92)], [200, 400, 200]);
        assert_eq!([verdict("me@home.example", Some("k"), 91), verdict("me@home.example", Some("k"), 92)], [400, 200]);
        for name in ["", " a", "a ", "key_/.\\@:", &"x".repeat(256)] {
            assert_eq!(verdict(name, Some("k"), 92), 400, "{name}");
        }
    }
}
