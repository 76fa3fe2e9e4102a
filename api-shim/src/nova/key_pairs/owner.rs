//! Whose key pairs a request is about: the caller's own, or from 2.10 on those of the user that an administrator names.

use ostler_crds::KeyPair;
use std::sync::Arc;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion},
    observe::clean,
    store::reads,
};

/// First version in which an administrator may name a user.
const NAMED: Microversion = Microversion(10);
/// Longest id of a user.
const LONGEST: usize = 255;

/// The user of a request whose query may name one.
pub(super) async fn of_query(inbound: &Inbound, permit: &Permit) -> Result<String, Fault> {
    let asked = inbound.query.get("user_id").filter(|_| inbound.version >= NAMED);
    of(inbound, permit, asked).await
}

/// The caller, or whom he asks for if he may do in every project what the permit lets him do in his own.
pub(super) async fn of(inbound: &Inbound, permit: &Permit, asked: Option<&str>) -> Result<String, Fault> {
    let own = permit.caller().user.id();
    let Some(asked) = asked.filter(|a| *a != own) else { return Ok(own) };
    if asked.is_empty() || asked.len() > LONGEST {
        return Err(Fault::invalid_field("user_id", "It must be 1 to 255 characters."));
    }
    let rule = permit.rule().everywhere();
    if inbound.app.authorizer.may_also(permit, rule).await? {
        return Ok(asked.to_owned());
    }
    Err(Fault::forbidden(format!(
        "Policy does not allow key pairs of other users: it needs permission to {rule} in the whole cluster."
    )))
}

/// The key pair that the path names, of the user that the query may name.
pub(super) async fn find(inbound: &Inbound, permit: &Permit) -> Result<(Arc<KeyPair>, String), Fault> {
    let (user, name) = (of_query(inbound, permit).await?, inbound.param("name"));
    let found = reads::key_pair(&inbound.app.stores, permit, &user, name);
    let missing = || Fault::not_found(format!("Keypair {} not found for user {}", clean(name), clean(&user)));
    Ok((found.ok_or_else(missing)?, user))
}

/// From 2.75 on, a key of the query that is not known is refused.
pub(super) fn known_keys(inbound: &Inbound, paged: bool) -> Result<(), Fault> {
    let known: &[&str] = if paged { &["user_id", "limit", "marker"] } else { &["user_id"] };
    inbound.query.strict(known, inbound.version)
}
