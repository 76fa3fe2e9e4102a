//! What Nova has below a server and this version has not: 501, of servers that exist.

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::actions::run::find,
};

async fn refuse(inbound: Inbound, permit: Permit, what: &str) -> Result<Reply, Fault> {
    find(&inbound, &permit).await?;
    Err(Fault::not_served(what))
}

/// `POST` and `DELETE …/os-interface`.
pub async fn interfaces(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    refuse(inbound, permit, "Attaching and detaching interfaces").await
}

/// `POST`, `PUT` and `DELETE …/os-volume_attachments`.
pub async fn volumes(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    refuse(inbound, permit, "Attaching volumes").await
}

/// `POST …/remote-consoles`.
pub async fn consoles(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    refuse(inbound, permit, "A remote console").await
}

/// `GET …/diagnostics`.
pub async fn diagnostics(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    refuse(inbound, permit, "The API for diagnostics of servers").await
}
