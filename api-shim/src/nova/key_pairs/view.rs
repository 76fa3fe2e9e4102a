//! A key pair as Nova shows it.

use ostler_crds::KeyPair;
use serde_json::{Value, json};
use uuid::Uuid;

use super::key;
use crate::{
    http::Microversion,
    shape::{Edit, at_version, time},
};

/// 2.2 brought the type.
const EDITS: &[Edit] = &[Edit::added(2, "type")];

fn common(pair: &KeyPair) -> Value {
    // The status may be a moment behind, and the key says it too.
    let fingerprint = key::fingerprint(&pair.spec.public_key).unwrap_or_default();
    json!({
        "name": pair.display_name(), "public_key": pair.spec.public_key, "fingerprint": fingerprint, "type": "ssh",
    })
}

/// An entry of a list.
pub fn entry(pair: &KeyPair, version: Microversion) -> Value {
    let mut document = common(pair);
    at_version(&mut document, EDITS, version);
    json!({ "keypair": document })
}

/// The answer to a creation; `private` only if we made the key.
pub fn created(pair: &KeyPair, user: &str, private: Option<&str>, version: Microversion) -> Value {
    let mut document = common(pair);
    document["user_id"] = user.into();
    if let Some(private) = private {
        document["private_key"] = private.into();
    }
    at_version(&mut document, EDITS, version);
    json!({ "keypair": document })
}

/// All of it.
pub fn full(pair: &KeyPair, user: &str, version: Microversion) -> Value {
    let mut document = common(pair);
    document["user_id"] = user.into();
    document["id"] = number(pair).into();
    document["created_at"] = pair.metadata.creation_timestamp.as_ref().map(|t| time::micros_bare(t.0)).into();
    document["deleted"] = false.into();
    document["deleted_at"] = Value::Null;
    document["updated_at"] = Value::Null;
    at_version(&mut document, EDITS, version);
    json!({ "keypair": document })
}

/// Nova's number of the row in its database: 31 bits of the uid.
fn number(pair: &KeyPair) -> u32 {
    let uid = pair.metadata.uid.as_deref().and_then(|u| Uuid::parse_str(u).ok()).unwrap_or_default();
    (uid.as_u128() as u32) & 0x7fff_ffff
}
