//! `DELETE /v3/users/{id}`.

use http::StatusCode;

use super::missing;
use crate::{
    authenticate::Caller,
    authorize::rule::identity,
    fault::Fault,
    http::{Inbound, Reply},
    keystone::administration,
    store::grants,
};

/// 204. What the user was given here goes first: the next user of this name starts with nothing.
pub async fn delete(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    administration::served(app)?;
    let warrant = app.authorizer.warrant(&caller, identity::DELETE_USER, None, None).await?;
    let user = app.authenticator.users().find_by_id(id).ok_or_else(|| missing(id))?;
    if !user.made_here {
        return Err(Fault::forbidden(
            "This user was not made here: delete the Secret, or take it from the chart's values.",
        ));
    }
    grants::take_all(&app.client, &warrant, &user.user()).await?;
    app.authenticator.write_users().delete(&warrant, &user).await?;
    app.authorizer.forget(&user.user());
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
