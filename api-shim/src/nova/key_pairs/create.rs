//! `POST /os-keypairs` (spec C-44): imports a public key, or makes a pair and shows the private half once.

use http::StatusCode;
use ostler_crds::{KeyPair, KeyPairSpec};
use serde::Deserialize;

use super::{key, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply},
    nova::limits::KEY_PAIRS,
    observe::clean,
    shape::{Field, fields},
    store::{key_pairs, reads, slug},
};

const FIELDS: &[Field] =
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
    let user = permit.caller().user.id();
    check(&wire, &user)?;
    let known = reads::key_pairs(&inbound.app.stores, &permit);
    if known.iter().any(|k| k.display_name() == wire.name) {
        return Err(Fault::conflict(format!("Key pair '{}' already exists.", clean(&wire.name))));
    }
    if known.len() >= KEY_PAIRS {
        return Err(Fault::forbidden("Quota exceeded, too many key pairs."));
    }
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

fn check(wire: &Wire, user: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let name = wire.name.as_str();
    if name.is_empty() || name.len() > 255 || name.trim() != name || !name.chars().all(allowed) {
        let why = "Keypair name must be 1 to 255 letters, digits, spaces, '_' and '-'.";
        return Err(Fault::invalid_field("keypair.name", why));
    }
    if wire.type_.as_deref().is_some_and(|t| t != "ssh") {
        return Err(Fault::invalid_field("keypair.type", "This version serves type ssh only."));
    }
    if wire.user_id.as_deref().is_some_and(|u| u != user) {
        return Err(Fault::forbidden("Key pairs of other users are not made by this version."));
    }
    if wire.public_key.as_deref().is_some_and(|k| k.len() > LONGEST) {
        return Err(Fault::invalid_field("keypair.public_key", "It is too long."));
    }
    Ok(())
}
