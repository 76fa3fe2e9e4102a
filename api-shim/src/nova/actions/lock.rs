//! `lock` (from 2.73 with a reason) and `unlock`. Pure.

use ostler_crds::Server;
use serde::Deserialize;
use serde_json::Value;

use super::body;
use crate::{fault::Fault, http::Microversion};

/// From here on a lock has a reason.
pub const REASON: Microversion = Microversion(73);

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    locked_reason: Option<String>,
}

/// `lock`. Below 2.73 nothing is looked at, and the table has let anything through.
pub fn lock(server: &mut Server, argument: &Value) -> Result<(), Fault> {
    let ask: Lock = body::read(argument.clone(), "lock")?;
    let fits = |r: &String| (1..=255).contains(&r.chars().count());
    if ask.locked_reason.as_ref().is_some_and(|r| !fits(r)) {
        return Err(Fault::invalid_field("lock.locked_reason", "It must have 1 to 255 characters."));
    }
    server.spec.locked = Some(true);
    server.spec.locked_reason = ask.locked_reason;
    Ok(())
}

/// `unlock`.
pub fn unlock(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    server.spec.locked = None;
    server.spec.locked_reason = None;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lock_may_have_a_reason_and_a_later_one_replaces_it() {
        let mut server = Server::new("a", Default::default());
        lock(&mut server, &json!({"locked_reason": "mine"})).unwrap();
        assert_eq!((server.spec.locked, server.spec.locked_reason.as_deref()), (Some(true), Some("mine")));
        lock(&mut server, &Value::Null).unwrap();
        assert_eq!(server.spec.locked_reason, None);
        for bad in
            [json!({"locked_reason": ""}), json!({"locked_reason": "x".repeat(256)}), json!({"locked_reason": 1})]
        {
            assert_eq!(lock(&mut server, &bad).unwrap_err().status.as_u16(), 400, "{bad}");
        }
        unlock(&mut server, &Value::Null).unwrap();
        assert_eq!(server.spec, Server::new("a", Default::default()).spec);
    }
}
