//! `/os-quota-sets/{id}`: the limits of a project. Members see their own.

use http::StatusCode;
use ostler_crds::quota::Resource;
use serde_json::{Value, json};

use super::{view, wire};
use crate::{
    authorize::{Permit, Scope},
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    store::quotas::{self, Quotas, used},
};

/// The project that the path names: the caller's own, or any for those who may ask in the whole cluster.
async fn project<'a>(inbound: &'a Inbound, permit: &Permit) -> Result<&'a str, Fault> {
    inbound.query.strict(&["user_id"], inbound.version)?;
    let id = inbound.param("id");
    if id == permit.project() {
        return Ok(id);
    }
    let rule = permit.rule().everywhere();
    if permit.rule().scope != Scope::Cluster && !inbound.app.authorizer.may_also(permit, rule).await? {
        return Err(Fault::forbidden(format!(
            "Policy does not allow quotas of other projects: it needs permission to {rule} in the whole cluster."
        )));
    }
    if inbound.app.stores.projects.get(None, id).is_none() {
        return Err(Fault::bad_request(format!("Project ID {} is not a valid project.", clean(id))));
    }
    Ok(id)
}

fn limit_of<'a>(quotas: &'a Quotas, user: Option<&'a str>) -> impl Fn(Resource) -> i64 + 'a {
    move |resource| user.map_or_else(|| quotas.limit(resource), |u| quotas.limit_of_user(u, resource))
}

/// With the project's id, which most answers have.
fn named(mut document: Value, id: &str) -> Reply {
    document["id"] = id.into();
    Reply::ok(&json!({ "quota_set": document }))
}

/// The limits of a project, or of one of its users.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let id = project(&inbound, &permit).await?;
    let (quotas, user) = (Quotas::of(&inbound.app.stores, id), inbound.query.get("user_id"));
    Ok(named(view::limits(limit_of(&quotas, user), inbound.version), id))
}

/// The limits and what is used of them.
pub async fn detail(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let id = project(&inbound, &permit).await?;
    let (stores, user) = (&inbound.app.stores, inbound.query.get("user_id"));
    let (quotas, used) = (Quotas::of(stores, id), used(stores, id, user));
    Ok(named(view::detail(limit_of(&quotas, user), used, inbound.version), id))
}

/// The limits of a project that nobody changed.
pub async fn defaults(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let quotas = Quotas::class(&inbound.app.stores);
    Ok(named(view::limits(limit_of(&quotas, None), inbound.version), inbound.param("id")))
}

/// Changes limits. One below what is used needs `force`.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("quota_set").await?;
    let change = wire::read(&body, "quota_set", inbound.version)?;
    let id = project(&inbound, &permit).await?;
    let (app, user) = (&inbound.app, inbound.query.get("user_id"));
    if !change.force {
        let used = used(&app.stores, id, user);
        for (resource, limit) in &change.limits {
            let in_use = view::in_use(*resource, used);
            if u64::try_from(*limit).is_ok_and(|l| l < in_use) {
                let name = view::name(*resource);
                return Err(Fault::bad_request(format!(
                    "Quota limit {limit} for {name} must be greater than or equal to already used and reserved {in_use}."
                )));
            }
        }
    }
    quotas::change(&app.client, &app.stores, &permit, id, user, &change.limits).await?;
    let quotas = Quotas::of(&app.stores, id);
    Ok(Reply::ok(&json!({"quota_set": view::limits(limit_of(&quotas, user), inbound.version)})))
}

/// Forgets the limits of a project, or of one of its users: those of all hold again.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let id = project(&inbound, &permit).await?;
    let app = &inbound.app;
    quotas::reset(&app.client, &app.stores, &permit, id, inbound.query.get("user_id")).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}
