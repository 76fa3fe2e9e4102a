//! Which projects may use a private flavor: `/flavors/{id}/os-flavor-access` and the actions that change it.

use ostler_crds::{Flavor, FlavorVisibility};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    shape::{Field, fields},
    store::flavors,
};

const FIELDS: &[Field] = &[Field::new("tenant")];

#[derive(Deserialize)]
struct Wire {
    tenant: String,
}

fn document(flavor: &Flavor) -> Value {
    let id = view::id(flavor);
    let entries: Vec<Value> =
        flavor.spec.access.iter().flatten().map(|project| json!({"flavor_id": id, "tenant_id": project})).collect();
    json!({ "flavor_access": entries })
}

/// The projects of a private flavor.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let flavor = flavors::find_any(&inbound.app.stores, &permit, inbound.param("id"))?;
    match flavor.spec.visibility {
        FlavorVisibility::Public => Err(Fault::not_found("Access list not available for public flavors.")),
        FlavorVisibility::Private => Ok(Reply::ok(&document(&flavor))),
    }
}

/// Action `addTenantAccess`.
pub async fn add(inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    let project = read(argument, "addTenantAccess")?;
    if inbound.app.stores.projects.get(None, &project).is_none() {
        return Err(Fault::bad_request(format!("Project ID {} is not a valid project.", clean(&project))));
    }
    changed(&inbound, &permit, |flavor| grant(flavor, &project)).await
}

/// Action `removeTenantAccess`.
pub async fn remove(inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    let project = read(argument, "removeTenantAccess")?;
    changed(&inbound, &permit, |flavor| revoke(flavor, &project)).await
}

async fn changed(
    inbound: &Inbound,
    permit: &Permit,
    change: impl Fn(&mut Flavor) -> Result<(), Fault>,
) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let flavor = flavors::change(&app.client, &app.stores, permit, inbound.param("id"), change).await?;
    Ok(Reply::ok(&document(&flavor)))
}

fn read(argument: Value, path: &str) -> Result<String, Fault> {
    let body: Map<String, Value> = match argument {
        Value::Object(body) => body,
        _ => return Err(Fault::invalid_field(path, "It is not of type 'object'.")),
    };
    fields::check(&body, FIELDS, crate::http::Microversion::MIN, path)?;
    let Wire { tenant } = fields::read(body, path)?;
    if tenant.is_empty() || tenant.len() > 255 {
        return Err(Fault::invalid_field(&format!("{path}.tenant"), "It must be 1 to 255 characters."));
    }
    Ok(tenant)
}

fn grant(flavor: &mut Flavor, project: &str) -> Result<(), Fault> {
    let id = view::id(flavor);
    if flavor.spec.visibility == FlavorVisibility::Public {
        return Err(Fault::conflict("Can not add access to a public flavor."));
    }
    let access = flavor.spec.access.get_or_insert_default();
    if access.iter().any(|p| p == project) {
        return Err(Fault::conflict(format!(
            "Flavor access already exists for flavor {id} and project {project} combination."
        )));
    }
    access.push(project.to_owned());
    Ok(())
}

fn revoke(flavor: &mut Flavor, project: &str) -> Result<(), Fault> {
    let id = view::id(flavor);
    if flavor.spec.visibility == FlavorVisibility::Public {
        return Err(Fault::conflict("Can not remove access from a public flavor."));
    }
    let access = flavor.spec.access.get_or_insert_default();
    let before = access.len();
    access.retain(|p| p != project);
    if access.len() == before {
        let project = clean(project);
        return Err(Fault::not_found(format!("Flavor access not found for {id} / {project} combination.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flavor(visibility: &str) -> Flavor {
        serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Flavor", "metadata": {"name": "m1"},
            "spec": {"vcpus": 1, "memoryMiB": 512, "diskGiB": 1, "visibility": visibility},
        }))
        .unwrap()
    }

    #[test]
    fn a_private_flavor_is_given_once_and_taken_once() {
        let code = |r: Result<(), Fault>| r.map_or_else(|f| f.status.as_u16(), |()| 200);
        let mut private = flavor("Private");
        assert_eq!([code(grant(&mut private, "a")), code(grant(&mut private, "a"))], [200, 409]);
        assert_eq!(document(&private)["flavor_access"][0]["tenant_id"], "a");
        assert_eq!([code(revoke(&mut private, "a")), code(revoke(&mut private, "a"))], [200, 404]);
        let mut public = flavor("Public");
        assert_eq!([code(grant(&mut public, "a")), code(revoke(&mut public, "a"))], [409, 409]);
    }
}
