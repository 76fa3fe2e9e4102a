//! Keystone's documents.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{DOMAIN_ID, DOMAIN_NAME};
use crate::{
    authenticate::{
        Caller, User,
        ticket::{Origin, Reach},
        users::{UserSecret, login},
    },
    authorize::roles::Role,
    http::{Inbound, Service},
    shape::time,
    store::projects::{self, Project},
};

/// The body of a token.
pub fn token(inbound: &Inbound, caller: &Caller, roles: &[Role], with_catalog: bool) -> Value {
    let ticket = &caller.ticket;
    let mut token = json!({
        "methods": ticket.methods,
        "user": {
            "domain": domain_ref(), "id": caller.user.id(), "name": login(&caller.user.name), "password_expires_at": null,
        },
        "audit_ids": [ticket.audit_id],
        "issued_at": time::micros(time::from_seconds(ticket.issued_at)),
        "expires_at": time::micros(time::from_seconds(ticket.expires_at)),
    });
    match (&caller.project, caller.reach()) {
        (Some(project), _) => {
            let name = projects::name(&inbound.app.stores, project);
            token["project"] = json!({"domain": domain_ref(), "id": project, "name": name});
            token["is_domain"] = false.into();
        }
        (None, Some(Reach::Domain)) => token["domain"] = domain_ref(),
        (None, Some(Reach::System)) => token["system"] = json!({"all": true}),
        (None, None) => return json!({"token": token}),
    }
    token["roles"] = roles.iter().map(|r| json!({"id": r.name(), "name": r.name()})).collect();
    if let Origin::ApplicationCredential { id, .. } = &ticket.origin {
        let found = inbound.app.authenticator.application_credentials().find(id).map(|c| c.terms);
        let (name, restricted) = found.map_or((None, true), |t| (Some(t.name), !t.unrestricted));
        token["application_credential"] = json!({"id": id, "name": name, "restricted": restricted});
    }
    if with_catalog {
        token["catalog"] = catalog(inbound);
    }
    json!({"token": token})
}

/// The only domain, as a reference.
pub fn domain_ref() -> Value {
    json!({"id": DOMAIN_ID, "name": DOMAIN_NAME})
}

/// The catalog; the three interfaces share one URL.
pub fn catalog(inbound: &Inbound) -> Value {
    let region = inbound.app.settings.region.as_str();
    let entry = |service: Service| {
        let url = inbound.base.service(service);
        let id = |what: &str| Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{what} {region}").as_bytes()).simple();
        let endpoint = |interface: &str| {
            json!({
                "id": id(&format!("{} {interface}", service.type_())).to_string(),
                "interface": interface, "region": region, "region_id": region, "url": url,
            })
        };
        let endpoints = ["public", "internal", "admin"].map(endpoint);
        json!({
            "id": id(service.type_()).to_string(),
            "type": service.type_(),
            "name": service.name(),
            "endpoints": endpoints,
        })
    };
    Service::ALL.map(entry).into_iter().collect()
}

/// A project.
pub fn project(inbound: &Inbound, project: &Project) -> Value {
    let id = project.id.as_str();
    json!({
        "id": id, "name": project.name, "description": project.description, "enabled": project.enabled,
        "is_domain": false, "options": {}, "tags": project.tags, "domain_id": DOMAIN_ID, "parent_id": DOMAIN_ID,
        "links": {"self": format!("{}/v3/projects/{id}", inbound.base.service(Service::Identity))},
    })
}

/// A user.
pub fn user(inbound: &Inbound, user: &User) -> Value {
    let id = user.id();
    json!({
        "name": login(&user.name), "enabled": true, "domain_id": DOMAIN_ID, "options": {}, "password_expires_at": null,
        "links": {"self": format!("{}/v3/users/{id}", inbound.base.service(Service::Identity))},
        "id": id,
    })
}

/// A user with a Secret: its own words beside ours, never over them.
pub fn user_secret(inbound: &Inbound, secret: &UserSecret) -> Value {
    let mut document = Value::Object(secret.attributes.clone());
    if let Some(project) = &secret.default_project {
        document["default_project_id"] = project.as_str().into();
    }
    if let Value::Object(own) = user(inbound, &secret.user()) {
        own.into_iter().for_each(|(key, value)| document[key] = value);
    }
    document["enabled"] = secret.enabled.into();
    document
}

/// A list with Keystone's links.
pub fn list(inbound: &Inbound, key: &str, items: Vec<Value>) -> Value {
    let own = format!("{}{}", inbound.base.as_str(), inbound.path);
    json!({key: items, "links": {"self": own, "previous": null, "next": null}})
}
