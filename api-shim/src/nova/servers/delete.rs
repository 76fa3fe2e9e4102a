//! `DELETE /servers/{id}` (spec C-08).

use http::StatusCode;
use jiff::Timestamp;
use kube::ResourceExt;

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::{
        actions::{
            run,
            table::{self, Row},
        },
        instance_actions::record::Record,
    },
    store::servers,
};

/// Asks for the removal; the server is shown as being deleted until its guest is gone.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    go(&table::DELETE, &inbound, &permit).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The same for the action that forces it. The event is kept in memory, because the object has no room for it: it goes.
pub async fn go(row: &Row, inbound: &Inbound, permit: &Permit) -> Result<(), Fault> {
    let app = &inbound.app;
    let server = run::find_fit(row, inbound, permit).await?;
    if server.metadata.deletion_timestamp.is_some() {
        return Ok(());
    }
    let record = Record::new("delete", inbound, permit, Timestamp::now());
    app.stores.tombstones.ask(server.uid().unwrap_or_default(), record);
    servers::delete(&app.client, &app.stores, permit, &server).await
}
