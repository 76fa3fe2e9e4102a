//! `POST /os-server-groups`.

use ostler_crds::names::CREATOR_ANNOTATION;
use serde_json::json;

use super::{view, wire};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    store::server_groups,
};

/// Makes a group.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let mut group = wire::read(inbound.json_under("server_group").await?, inbound.version)?;
    let creator = (CREATOR_ANNOTATION.to_owned(), permit.caller().user.id());
    group.metadata.annotations = Some([creator].into());
    let app = &inbound.app;
    let group = server_groups::create(&app.client, &app.stores, &permit, group).await?;
    Ok(Reply::ok(&json!({"server_group": view::full(&group, &app.stores, inbound.version)})))
}
