//! The manager's writes to a Server's status.

use kube::{
    Api, Resource, ResourceExt,
    api::{Patch, PatchParams},
};
use ostler_crds::{Server, ServerStatus, names::MANAGER_FIELD_MANAGER};
use serde_json::json;
use thiserror::Error;

use super::Context;
use crate::common::crash;

/// A write was not made, or its fate is not known.
#[derive(Debug, Error)]
pub enum Error {
    /// The API server refused, or was not reached.
    #[error("{0}")]
    Api(#[from] kube::Error),
    /// Another manager may lead by now.
    #[error("this replica leads no longer")]
    NotLeading,
}

/// Applies the manager's part of the status, on condition that the Server is still the one that was read. `status` is
/// the whole of that part: what it leaves out is given up.
pub async fn server_status(context: &Context, server: &Server, status: &ServerStatus) -> Result<(), Error> {
    if !context.leadership.holds() {
        return Err(Error::NotLeading);
    }
    let patch = json!({
        "apiVersion": Server::api_version(&()),
        "kind": Server::kind(&()),
        "metadata": { "name": server.name_any(), "uid": server.uid(), "resourceVersion": server.resource_version() },
        "status": status,
    });
    let params = PatchParams::apply(MANAGER_FIELD_MANAGER).force();
    let api = Api::<Server>::namespaced(context.client.clone(), &server.namespace().unwrap_or_default());
    api.patch_status(&server.name_any(), &params, &Patch::Apply(&patch)).await?;
    crash::point("status of a Server");
    Ok(())
}
