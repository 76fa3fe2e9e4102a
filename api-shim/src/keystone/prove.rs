//! Who asks for a token: by a password, a token or an application credential.

use super::{
    scope,
    wire::{Identity, UserRef},
};
use crate::{
    authenticate::{User, application_credentials, review, ticket::Origin},
    fault::Fault,
    http::Inbound,
};

/// Who is asking, proven.
pub struct Proven {
    /// The user.
    pub user: User,
    /// How.
    pub origin: Origin,
    /// Keystone's methods.
    pub methods: Vec<String>,
    /// Of the token that was shown.
    pub audit_id: Option<String>,
    /// When what was shown ends, in seconds.
    pub not_after: Option<i64>,
    /// The project of an application credential: there is no token for another.
    pub bound_to: Option<String>,
}

/// Proves who is asking, by the one method that is named.
pub async fn prove(inbound: &Inbound, identity: Identity) -> Result<Proven, Fault> {
    let authenticator = &inbound.app.authenticator;
    let [method] = identity.methods.as_slice() else {
        return Err(Fault::bad_request("Exactly one authentication method must be named."));
    };
    let fresh = |(user, origin): (User, Origin)| Proven {
        user,
        origin,
        methods: vec![method.clone()],
        audit_id: None,
        not_after: None,
        bound_to: None,
    };
    match (method.as_str(), identity.password, identity.token, identity.application_credential) {
        ("password", Some(password), _, _) => {
            let name = name_of(inbound, password.user.reference);
            authenticator.by_password(&name, password.user.password, inbound.peer).await.map(fresh)
        }
        ("application_credential", _, _, Some(shown)) => {
            let id = match (shown.id, shown.name, shown.user) {
                (Some(id), _, _) => id,
                (None, Some(name), Some(user)) => application_credentials::id(&name_of(inbound, user), &name),
                _ => {
                    return Err(Fault::bad_request(
                        "An application credential is named by its id, or by name and user.",
                    ));
                }
            };
            let (user, origin, found) =
                authenticator.by_application_credential(&id, shown.secret, inbound.peer).await?;
            let not_after = found.terms.expires_at.map(|t| t.as_second());
            Ok(Proven { not_after, bound_to: Some(found.terms.project), ..fresh((user, origin)) })
        }
        ("token", _, Some(token), _) => match authenticator.open(&token.id).await {
            Ok(caller) => Ok(Proven {
                bound_to: match caller.ticket.origin {
                    Origin::ApplicationCredential { .. } => caller.project,
                    _ => None,
                },
                user: caller.user,
                origin: caller.ticket.origin.clone(),
                methods: caller.ticket.methods.iter().cloned().chain(["token".to_owned()]).collect(),
                audit_id: Some(caller.ticket.audit_id.clone()),
                not_after: Some(caller.ticket.expires_at),
            }),
            Err(_) if review::may_be_one(&token.id) => {
                let proven = fresh(authenticator.by_bearer(&token.id).await?);
                // What comes of a token does not outlive it.
                Ok(Proven { not_after: review::expiry(&token.id), ..proven })
            }
            Err(fault) => Err(fault),
        },
        _ => Err(Fault::unauthorized()),
    }
}

/// The name that a reference stands for. An unknown id goes on as a name that nobody has, so that it costs the same.
fn name_of(inbound: &Inbound, user: UserRef) -> String {
    let users = inbound.app.authenticator.users();
    let by_id = user.id.as_deref().and_then(|id| users.find_by_id(id)).map(|u| u.name);
    let by_name = |name: String| users.find_by_login(&name).map_or(name, |u| u.name);
    let name = by_id.or_else(|| user.name.map(by_name)).or(user.id).unwrap_or_default();
    if scope::is_ours(user.domain.as_ref()) { name } else { String::new() }
}
