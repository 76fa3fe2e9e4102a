//! `os-getConsoleOutput`: fetched from the node role of the server's host.

use serde_json::{Value, json};

use super::{run, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// The serial console's log.
pub async fn output(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let lines = length(&argument)?;
    let server = run::find(&inbound, &permit).await?;
    let app = &inbound.app;
    let host = server.status.as_ref().and_then(|s| s.host.as_deref());
    let host = host.and_then(|name| app.stores.hosts.get(None, name));
    let host = host.ok_or_else(|| Fault::conflict("The server has no host yet, so there is no console log."))?;
    let output = app.nodes.console(&server, &host, lines).await?;
    Ok(Reply::ok(&json!({ "output": output })))
}

/// `length` is a number, or a text of one; absent, `null` and −1 mean everything.
fn length(argument: &Value) -> Result<Option<u32>, Fault> {
    let invalid = || Fault::invalid_field("os-getConsoleOutput.length", "It must be an integer of −1 or more.");
    let number = match argument.get("length") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(n)) => n.as_i64(),
        Some(Value::String(s)) => s.trim().parse().ok(),
        Some(_) => None,
    };
    match number.ok_or_else(invalid)? {
        -1 => Ok(None),
        n => u32::try_from(n).map(Some).map_err(|_| invalid()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_as_nova_does() {
        assert_eq!(length(&json!({})), Ok(None));
        assert_eq!(length(&json!({"length": 3})), Ok(Some(3)));
        assert_eq!(length(&json!({"length": "3"})), Ok(Some(3)));
        assert_eq!(length(&json!({"length": -1})), Ok(None));
        for bad in [json!({"length": -2}), json!({"length": "x"}), json!({"length": 1.5})] {
            assert!(length(&bad).is_err(), "{bad}");
        }
    }
}
