//! `/v3/auth/tokens`: issue, check, show and revoke.

use http::StatusCode;
use serde::Deserialize;

use super::{
    projects,
    scope::{self, Scope},
    view,
    wire::{Auth, Identity},
};
use crate::{
    authenticate::{Caller, NewTicket, User, review, ticket::Origin},
    authorize::{
        roles::{self, Role},
        rule::common,
    },
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
};

/// Header of the token that is shown or revoked, and of the one that is issued.
const SUBJECT: &str = "x-subject-token";

/// `POST /v3/auth/tokens`.
pub async fn issue(mut inbound: Inbound) -> Result<Reply, Fault> {
    let body = inbound.json().await?;
    // The error of serde would repeat what was sent, perhaps a password; so it is not passed on.
    let auth = body.get("auth").and_then(|a| Auth::deserialize(a).ok());
    let auth =
        auth.ok_or_else(|| Fault::bad_request("Expecting to find auth with an identity in the request body."))?;
    let wished = scope::read(auth.scope.as_ref())?;
    let proven = prove(&inbound, auth.identity).await?;
    let app = inbound.app.clone();
    let (project, roles) = match wished {
        Scope::Project(name) => {
            let roles = granted(&inbound, &proven.user, &name).await?;
            let roles = roles.ok_or_else(|| no_role(&proven.user, &name))?;
            (Some(name), roles)
        }
        Scope::Unscoped => (None, Vec::new()),
        // As in Keystone, a default project that is not theirs (any more) means none.
        Scope::Unsaid => match app.authenticator.default_project(&proven.user) {
            Some(name) => match granted(&inbound, &proven.user, &name).await? {
                Some(roles) => (Some(name), roles),
                None => (None, Vec::new()),
            },
            None => (None, Vec::new()),
        },
    };
    let (text, caller) = app.authenticator.issue(NewTicket {
        user: proven.user,
        origin: proven.origin,
        project,
        methods: proven.methods,
        audit_id: proven.audit_id,
        not_after: proven.not_after,
    })?;
    let document = view::token(&inbound, &caller, &roles, !inbound.query.pairs().any(|(k, _)| k == "nocatalog"));
    Ok(Reply::json(StatusCode::CREATED, &document).header(SUBJECT, &text))
}

/// `GET` and `HEAD /v3/auth/tokens`.
pub async fn show(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let (text, subject) = subject(&inbound, &caller).await?;
    let roles = match &subject.project {
        Some(project) => roles::roles(&inbound.app.authorizer, &subject.user, project).await?,
        None => Vec::new(),
    };
    let document = view::token(&inbound, &subject, &roles, !inbound.query.pairs().any(|(k, _)| k == "nocatalog"));
    Ok(Reply::ok(&document).header(SUBJECT, &text))
}

/// `DELETE /v3/auth/tokens`.
pub async fn revoke(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let (_, subject) = subject(&inbound, &caller).await?;
    inbound.app.authenticator.revoke(&subject).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The token that the request is about: the caller's own, or any for an administrator.
async fn subject(inbound: &Inbound, caller: &Caller) -> Result<(String, Caller), Fault> {
    let text = inbound.header(SUBJECT).ok_or_else(|| Fault::bad_request("The header X-Subject-Token is required."))?;
    let opened = inbound.app.authenticator.open(text).await;
    let subject = opened.map_err(|_| Fault::not_found("This is not a recognized Fernet token."))?;
    let own = subject.user.name == caller.user.name;
    if !own && !inbound.app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to look at the token of another user."));
    }
    Ok((text.to_owned(), subject))
}

struct Proven {
    user: User,
    origin: Origin,
    methods: Vec<String>,
    audit_id: Option<String>,
    not_after: Option<i64>,
}

/// Proves who is asking, by the one method that is named.
async fn prove(inbound: &Inbound, identity: Identity) -> Result<Proven, Fault> {
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
    };
    match (method.as_str(), identity.password, identity.token) {
        ("password", Some(password), _) => {
            let user = password.user;
            let by_id = user.id.as_deref().and_then(|id| authenticator.users().find_by_id(id)).map(|u| u.name);
            // An unknown id goes on as a name that nobody has, so that it costs the same.
            let name = by_id.or(user.name).or(user.id).unwrap_or_default();
            let name = if scope::is_ours(user.domain.as_ref()) { name } else { String::new() };
            authenticator.by_password(&name, user.password, inbound.peer).await.map(fresh)
        }
        ("token", _, Some(token)) => match authenticator.open(&token.id).await {
            Ok(caller) => Ok(Proven {
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

/// The user's roles in a project; `None` if it does not exist or they have none.
async fn granted(inbound: &Inbound, user: &User, project: &str) -> Result<Option<Vec<Role>>, Fault> {
    if !projects::exists(&inbound.app, project) {
        return Ok(None);
    }
    let roles = roles::roles(&inbound.app.authorizer, user, project).await?;
    Ok(Some(roles).filter(|r| !r.is_empty()))
}

/// 401, as Keystone has it. Says the same whether there is such a project or not.
fn no_role(user: &User, project: &str) -> Fault {
    let (user, project) = (clean(&user.name), clean(project));
    Fault::new(StatusCode::UNAUTHORIZED, format!("User {user} has no role in project {project}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_shows_no_secret_in_its_debug_form() {
        let body = serde_json::json!({
            "identity": {"methods": ["password"], "password": {"user": {"name": "a", "password": "tellnobody"}},
                         "token": {"id": "tellnobody"}}
        });
        let auth = Auth::deserialize(&body).unwrap();
        assert!(!format!("{auth:?}").contains("tellnobody"));
    }
}
