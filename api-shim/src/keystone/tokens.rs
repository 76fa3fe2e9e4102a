//! `/v3/auth/tokens`: issue, check, show and revoke.

use http::StatusCode;
use serde::Deserialize;

use super::{
    DOMAIN_ID,
    prove::{Proven, prove},
    scope::{self, Scope},
    view,
    wire::Auth,
};
use crate::{
    authenticate::{Caller, NewTicket, User, ticket::Reach, users::login},
    authorize::{
        roles::{self, Role},
        rule::common,
    },
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::projects::find as found,
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
    let Granted { project, reach, roles } = grant(&inbound, &proven, wished).await?;
    let (text, caller) = app.authenticator.issue(NewTicket {
        user: proven.user,
        origin: proven.origin,
        project,
        reach,
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
    let roles = match (&subject.project, subject.reach()) {
        (Some(project), _) => roles::roles(&inbound.app.authorizer, &subject.user, project).await?,
        (None, Some(_)) => roles::wide(&inbound.app.authorizer, &subject.user).await?,
        (None, None) => Vec::new(),
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

/// The scope that a token gets, and the roles in it.
#[derive(Default)]
struct Granted {
    project: Option<String>,
    reach: Option<Reach>,
    roles: Vec<Role>,
}

async fn grant(inbound: &Inbound, proven: &Proven, wished: Scope) -> Result<Granted, Fault> {
    let user = &proven.user;
    let wished = match &proven.bound_to {
        Some(own) if matches!(&wished, Scope::Unsaid) || wished == Scope::Project(own.clone()) => {
            Scope::Project(own.clone())
        }
        Some(_) => {
            return Err(Fault::forbidden("A token of an application credential is good for its own project only."));
        }
        None => wished,
    };
    match wished {
        Scope::Project(name) => {
            let (id, roles) = granted(inbound, user, &name).await?.ok_or_else(|| no_role(user, &name))?;
            Ok(Granted { project: Some(id), roles, ..Default::default() })
        }
        Scope::Wide(reach) => {
            let roles = roles::wide(&inbound.app.authorizer, user).await?;
            if roles.is_empty() {
                return Err(no_role(user, if reach == Reach::Domain { DOMAIN_ID } else { "system" }));
            }
            Ok(Granted { reach: Some(reach), roles, ..Default::default() })
        }
        Scope::Unscoped => Ok(Granted::default()),
        // As in Keystone, a default project that is not theirs (any more) means none.
        Scope::Unsaid => match inbound.app.authenticator.default_project(user) {
            Some(name) => Ok(match granted(inbound, user, &name).await? {
                Some((id, roles)) => Granted { project: Some(id), roles, ..Default::default() },
                None => Granted::default(),
            }),
            None => Ok(Granted::default()),
        },
    }
}

/// The id of the project with this id or name, and the user's roles in it; `None` if it does not exist or they have none.
async fn granted(inbound: &Inbound, user: &User, project: &str) -> Result<Option<(String, Vec<Role>)>, Fault> {
    let Some(project) = found(&inbound.app.stores, project).filter(|p| p.enabled) else { return Ok(None) };
    let roles = roles::roles(&inbound.app.authorizer, user, &project.id).await?;
    Ok(Some((project.id, roles)).filter(|(_, r)| !r.is_empty()))
}

/// 401, as Keystone has it. Says the same whether there is such a project or not.
fn no_role(user: &User, project: &str) -> Fault {
    let (user, project) = (clean(login(&user.name)), clean(project));
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
