//! `PUT /flavors/{id}` (2.55): the description, which is all that can be changed.

use serde::Deserialize;
use serde_json::json;

use super::{view, wire};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    shape::{Field, fields},
    store::flavors,
};

/// Keys of `flavor` in an update.
pub const FIELDS: &[Field] = &[Field::new("description")];

#[derive(Deserialize)]
struct Wire {
    description: Option<String>,
}

/// Sets or clears the description.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("flavor").await?;
    fields::check(&body, FIELDS, inbound.version, "flavor")?;
    if !body.contains_key("description") {
        return Err(Fault::invalid_field("flavor", "'description' is a required property"));
    }
    let Wire { description } = fields::read(body, "flavor")?;
    wire::description(description.as_deref())?;
    let app = &inbound.app;
    let flavor = flavors::change(&app.client, &app.stores, &permit, inbound.param("id"), |flavor| {
        flavor.spec.description = description.clone();
        Ok(())
    });
    Ok(Reply::ok(&json!({"flavor": view::full(&*flavor.await?, &inbound.base, inbound.version)})))
}
