//! `/v3/users/{user}/application_credentials`: one's own, and for an administrator those of others to see and to delete.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use jiff::Timestamp;
use rand::Rng;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    authenticate::{ApplicationCredential, Caller, application_credentials::Terms, ticket::Origin},
    authorize::{
        roles::{self, Role},
        rule::common,
    },
    fault::Fault,
    http::{Inbound, Reply, Service},
    observe::clean,
    shape::time,
};

/// Longest name, description and secret, in characters.
const LONGEST: usize = 255;

/// The body of a `POST`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
    #[serde(default)]
    roles: Option<Vec<RoleRef>>,
    #[serde(default)]
    unrestricted: Option<bool>,
    #[serde(default)]
    access_rules: Option<Vec<Value>>,
    /// Some clients repeat the project of their token.
    #[serde(default)]
    project_id: Option<String>,
}

#[derive(Deserialize)]
struct RoleRef {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

/// `POST`: 201 with the secret, which is never told again.
pub async fn create(mut inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let body = inbound.json_under("application_credential").await?;
    own(&inbound, &caller)?;
    unrestricted(&inbound, &caller)?;
    // serde's error may repeat what was sent, perhaps the secret.
    let wish: Wish = Wish::deserialize(Value::Object(body)).map_err(|_| {
        Fault::bad_request("application_credential must be an object with a name, as Keystone documents it.")
    })?;
    let authenticator = &inbound.app.authenticator;
    let user = authenticator.users().find(&caller.user.name).ok_or_else(|| {
        Fault::forbidden("Application credentials are for users with a password; use a ServiceAccount's token instead.")
    })?;
    let project = caller
        .project
        .clone()
        .ok_or_else(|| Fault::bad_request("An application credential needs a token that is scoped to a project."))?;
    let held = roles::roles(&inbound.app.authorizer, &caller.user, &project).await?;
    let terms = terms(&wish, &caller.user.name, &project, &held, Timestamp::now())?;
    let secret = wish.secret.unwrap_or_else(new_secret);
    let hash = authenticator.hash(secret.clone()).await?;
    let made = ApplicationCredential::new(terms, hash);
    authenticator.application_credentials().create(&made, &user).await?;
    let mut document = view(&inbound, &made);
    document["secret"] = secret.into();
    Ok(Reply::json(StatusCode::CREATED, &json!({"application_credential": document})))
}

/// `GET` of the list.
pub async fn list(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let user = owner(&inbound, &caller).await?;
    let mut found = inbound.app.authenticator.application_credentials().of_user(&user);
    if let Some(name) = inbound.query.get("name") {
        found.retain(|c| c.terms.name == name);
    }
    let items = found.iter().map(|c| view(&inbound, c)).collect();
    Ok(Reply::ok(&super::view::list(&inbound, "application_credentials", items)))
}

/// `GET` of one.
pub async fn show(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let found = find(&inbound, &caller).await?;
    Ok(Reply::ok(&json!({"application_credential": view(&inbound, &found)})))
}

/// `DELETE`.
pub async fn delete(inbound: Inbound, caller: Caller) -> Result<Reply, Fault> {
    let found = find(&inbound, &caller).await?;
    unrestricted(&inbound, &caller)?;
    inbound.app.authenticator.application_credentials().delete(&found).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// What is agreed on. Pure.
fn terms(wish: &Wish, user: &str, project: &str, held: &[Role], now: Timestamp) -> Result<Terms, Fault> {
    let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= LONGEST && !text.contains('\0');
    if !fits(&wish.name) || wish.description.as_ref().is_some_and(|d| d.chars().count() > LONGEST) {
        return Err(Fault::bad_request(format!(
            "name and description have at most {LONGEST} characters, name at least one."
        )));
    }
    if wish.secret.as_ref().is_some_and(|s| !fits(s)) {
        return Err(Fault::bad_request(format!("secret has at most {LONGEST} characters, and at least one.")));
    }
    if wish.access_rules.as_ref().is_some_and(|r| !r.is_empty()) {
        return Err(Fault::not_served("access_rules of application credentials"));
    }
    if wish.project_id.as_ref().is_some_and(|p| p != project) {
        return Err(Fault::bad_request("An application credential is for the project of the token."));
    }
    let expires_at = match wish.expires_at.as_deref() {
        None => None,
        Some(text) => {
            let end = time::parse(text).ok_or_else(|| Fault::bad_request("expires_at must be a time in ISO 8601."))?;
            Some(end).filter(|e| *e > now).map(Some).ok_or_else(|| Fault::bad_request("expires_at must lie ahead."))?
        }
    };
    Ok(Terms {
        user: user.to_owned(),
        name: wish.name.clone(),
        description: wish.description.clone(),
        project: project.to_owned(),
        roles: given(wish.roles.as_deref(), held)?,
        unrestricted: wish.unrestricted.unwrap_or(false),
        expires_at,
    })
}

/// The roles that are given: all that are held, or those that are named and held.
fn given(wished: Option<&[RoleRef]>, held: &[Role]) -> Result<Vec<String>, Fault> {
    let Some(wished) = wished.filter(|w| !w.is_empty()) else {
        return Ok(held.iter().map(|r| r.name().to_owned()).collect());
    };
    let one = |role: &RoleRef| {
        let name = role.id.as_deref().or(role.name.as_deref()).unwrap_or_default();
        let role = Role::named(name).filter(|r| held.contains(r));
        role.map(|r| r.name().to_owned()).ok_or_else(|| {
            Fault::bad_request(format!("Could not find role assignment with role: {}, of this user.", clean(name)))
        })
    };
    wished.iter().map(one).collect()
}

/// 86 characters of URL-safe base64, as Keystone makes them.
fn new_secret() -> String {
    let bytes: [u8; 64] = rand::rng().random();
    URL_SAFE_NO_PAD.encode(bytes)
}

fn view(inbound: &Inbound, credential: &ApplicationCredential) -> Value {
    let terms = &credential.terms;
    let user = crate::authenticate::caller::user_id(&terms.user);
    let own = inbound.base.service(Service::Identity);
    json!({
        "id": credential.id, "name": terms.name, "description": terms.description,
        "project_id": terms.project, "user_id": user, "unrestricted": terms.unrestricted,
        "roles": terms.roles.iter().map(|r| json!({"id": r, "name": r, "domain_id": null})).collect::<Value>(),
        "expires_at": terms.expires_at.map(time::micros_bare), "system": null,
        "links": {"self": format!("{own}/v3/users/{user}/application_credentials/{}", credential.id)},
    })
}

/// 403 unless the path names the caller.
fn own(inbound: &Inbound, caller: &Caller) -> Result<(), Fault> {
    if inbound.param("id") == caller.user.id() {
        return Ok(());
    }
    Err(Fault::forbidden("You are not authorized to make application credentials for another user."))
}

/// 403 for whoever came by an application credential that may not be used for this.
fn unrestricted(inbound: &Inbound, caller: &Caller) -> Result<(), Fault> {
    let Origin::ApplicationCredential { id, .. } = &caller.ticket.origin else { return Ok(()) };
    let found = inbound.app.authenticator.application_credentials().find(id);
    if found.is_some_and(|c| c.terms.unrestricted) {
        return Ok(());
    }
    Err(Fault::forbidden("This application credential is restricted: it does not make or delete others."))
}

/// The name of the user in the path: the caller, or for an administrator anybody.
async fn owner(inbound: &Inbound, caller: &Caller) -> Result<String, Fault> {
    let id = inbound.param("id");
    if id == caller.user.id() {
        return Ok(caller.user.name.clone());
    }
    if !inbound.app.authorizer.may(&caller.user, None, common::ADMIN).await? {
        return Err(Fault::forbidden("You are not authorized to see the application credentials of another user."));
    }
    let user = inbound.app.authenticator.users().find_by_id(id);
    user.map(|u| u.name).ok_or_else(|| Fault::not_found(format!("Could not find user: {}.", clean(id))))
}

async fn find(inbound: &Inbound, caller: &Caller) -> Result<ApplicationCredential, Fault> {
    let (user, id) = (owner(inbound, caller).await?, inbound.param("credential"));
    let found = inbound.app.authenticator.application_credentials().find(id).filter(|c| c.terms.user == user);
    found.ok_or_else(|| Fault::not_found(format!("Could not find Application Credential: {}.", clean(id))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(body: Value) -> Result<Terms, u16> {
        let wish = Wish::deserialize(body).map_err(|_| 400u16)?;
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        terms(&wish, "ada", "prod", &[Role::Member, Role::Reader], now).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn all_held_roles_are_given_unless_some_are_named() {
        assert_eq!(made(json!({"name": "ci"})).unwrap().roles, ["member", "reader"]);
        assert_eq!(made(json!({"name": "ci", "roles": [{"name": "reader"}]})).unwrap().roles, ["reader"]);
        assert_eq!(made(json!({"name": "ci", "roles": [{"id": "admin"}]})), Err(400));
    }

    #[test]
    fn an_end_lies_ahead_and_keeps_its_fraction() {
        let end = made(json!({"name": "ci", "expires_at": "2026-02-27T18:30:59.123456"})).unwrap().expires_at;
        assert_eq!(end.map(time::micros_bare).as_deref(), Some("2026-02-27T18:30:59.123456"));
        assert_eq!(made(json!({"name": "ci", "expires_at": "2025-01-01T00:00:00"})), Err(400));
        assert_eq!(made(json!({"name": "ci", "expires_at": "soon"})), Err(400));
    }

    #[test]
    fn what_is_not_served_or_not_said_well_is_refused() {
        assert_eq!(made(json!({"name": "ci", "access_rules": [{"path": "/"}]})), Err(501));
        assert_eq!(made(json!({"name": " "})), Err(400));
        assert_eq!(made(json!({"name": "ci", "secret": ""})), Err(400));
        assert_eq!(made(json!({"name": "ci", "project_id": "other"})), Err(400));
        assert_eq!(made(json!({"name": "ci", "colour": "grey"})), Err(400));
    }

    #[test]
    fn a_secret_is_long_and_never_the_same() {
        assert!(new_secret().len() == 86 && new_secret() != new_secret());
    }
}
