//! `rescue`: the guest runs from a rescue disk, with its own beside it.

use ostler_crds::{Server, server::Rescue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, run, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::servers::{resolve, text},
};

#[derive(Deserialize)]
struct Ask {
    #[serde(rename = "adminPass", default)]
    admin_pass: Option<String>,
    #[serde(default)]
    rescue_image_ref: Option<String>,
}

/// Asks for the rescue disk; answers with a password, as Nova does.
pub async fn rescue(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let ask: Ask = body::read(argument, row.name)?;
    let known = run::find_fit(row, &inbound, &permit).await?;
    let image = match &ask.rescue_image_ref {
        Some(reference) => Some(resolve::image_for(&inbound.app, &permit, reference, &known).await?),
        None => None,
    };
    let wish = |server: &mut Server| {
        server.spec.rescue = Some(Rescue { image: image.clone() });
        Ok(())
    };
    run::change(row, &inbound, &permit, wish).await?;
    let password = ask.admin_pass.unwrap_or_else(|| text::random(12));
    Ok(Reply::ok(&json!({ "adminPass": password })))
}
