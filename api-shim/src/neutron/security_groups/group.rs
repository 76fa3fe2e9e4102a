//! `/v2.0/security-groups`.

use http::StatusCode;
use ostler_crds::{SecurityGroup, security_group::DEFAULT};
use serde_json::{Value, json};

use super::{super::select, group_wire, view};
use crate::{
    app::App,
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::quotas::admit,
    store::security_groups as store,
};

/// The project's groups.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let stores = &inbound.app.stores;
    let items: Vec<Value> = store::all(stores, &permit, false).iter().map(|g| view::group(stores, g)).collect();
    Ok(Reply::ok(&select::list(&inbound.query, "security_groups", items)?))
}

/// A group.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let app = &inbound.app;
    let group = store::find(&app.client, &app.stores, &permit, inbound.param("id")).await?;
    let group = select::fields(view::group(&app.stores, &group), &inbound.query);
    Ok(Reply::ok(&json!({ "security_group": group })))
}

/// Makes a group.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("security_group").await?;
    let group = group_wire::new(group_wire::read(&body, permit.project())?)?;
    let group = make(&inbound.app, &permit, group).await?;
    Ok(Reply::json(StatusCode::CREATED, &json!({"security_group": view::group(&inbound.app.stores, &group)})))
}

/// Makes a group if the quota has room.
pub async fn make(app: &App, permit: &Permit, group: SecurityGroup) -> Result<std::sync::Arc<SecurityGroup>, Fault> {
    admit::security_group(app, permit, group.spec.rules.len())?;
    store::create(&app.client, &app.stores, permit, group).await
}

/// Changes name and description.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let wish = group_wire::read(&inbound.json_under("security_group").await?, permit.project())?;
    let group = rename(&inbound, &permit, &wish).await?;
    Ok(Reply::ok(&json!({"security_group": view::group(&inbound.app.stores, &group)})))
}

/// Gives the group that the path names another name and description. `default` keeps its name.
pub async fn rename(
    inbound: &Inbound,
    permit: &Permit,
    wish: &group_wire::GroupWish,
) -> Result<std::sync::Arc<SecurityGroup>, Fault> {
    let app = &inbound.app;
    let known = store::find(&app.client, &app.stores, permit, inbound.param("id")).await?;
    match (store::is_default(&known), wish.name.as_deref()) {
        (true, Some(name)) if name != DEFAULT => {
            let why = "Updating default security group not allowed.";
            return Err(Fault::conflict(why).kind("SecurityGroupCannotUpdateDefault"));
        }
        (false, name) => group_wire::not_default(name)?,
        (true, _) => {}
    }
    let change = |group: &mut SecurityGroup| {
        if let Some(name) = wish.name.clone().filter(|_| !store::is_default(group)) {
            group.spec.display_name = Some(name).filter(|n| !n.is_empty());
        }
        if let Some(description) = wish.description.clone() {
            group.spec.description = Some(description).filter(|d| !d.is_empty());
        }
        Ok(())
    };
    store::change(&app.client, &app.stores, permit, known, change).await
}

/// Deletes a group that no server is in.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    remove(&inbound, &permit).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Deletes the group that the path names.
pub async fn remove(inbound: &Inbound, permit: &Permit) -> Result<(), Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let known = store::find(&app.client, &app.stores, permit, id).await?;
    if store::is_default(&known) {
        let why = "Insufficient rights for removing default security group.";
        return Err(Fault::conflict(why).kind("SecurityGroupCannotRemoveDefault"));
    }
    if store::in_use(&app.stores, &known) {
        return Err(Fault::conflict(format!("Security Group {id} in use.")).kind("SecurityGroupInUse"));
    }
    store::delete(&app.client, &app.stores, permit, &known).await
}
