//! `/v2.0/security-group-rules`.

use std::sync::Arc;

use http::StatusCode;
use ostler_crds::{SecurityGroup, security_group::SecurityGroupRule};
use serde_json::{Value, json};

use super::{super::select, rule_wire, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::quotas::admit,
    observe::clean,
    store::{Stores, security_groups as store},
};

fn all(stores: &Stores, permit: &Permit) -> Vec<Value> {
    let of = |group: &SecurityGroup| -> Vec<Value> {
        group.spec.rules.iter().map(|r| view::rule(stores, group, r)).collect()
    };
    store::all(stores, permit, false).iter().flat_map(|g| of(g)).collect()
}

fn missing(id: &str) -> Fault {
    Fault::not_found(format!("Security group rule {} does not exist", clean(id))).kind("SecurityGroupRuleNotFound")
}

/// The rules of the project's groups.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let items = all(&inbound.app.stores, &permit);
    Ok(Reply::ok(&select::list(&inbound.query, "security_group_rules", items)?))
}

/// A rule.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let id = inbound.param("id");
    let found = all(&inbound.app.stores, &permit).into_iter().find(|r| r["id"] == id).ok_or_else(|| missing(id))?;
    Ok(Reply::ok(&json!({"security_group_rule": select::fields(found, &inbound.query)})))
}

/// Makes a rule.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json_under("security_group_rule").await?;
    let wish = rule_wire::read(&body, permit.project())?;
    let (group, rule) = make(&inbound, &permit, wish).await?;
    let rule = view::rule(&inbound.app.stores, &group, &rule);
    Ok(Reply::json(StatusCode::CREATED, &json!({ "security_group_rule": rule })))
}

/// Adds a rule to its group; with the group as it is then.
pub async fn make(
    inbound: &Inbound,
    permit: &Permit,
    wish: rule_wire::RuleWish,
) -> Result<(Arc<SecurityGroup>, SecurityGroupRule), Fault> {
    let app = &inbound.app;
    let group = store::find(&app.client, &app.stores, permit, &wish.group).await?;
    let remote_group = match &wish.remote_group {
        None => None,
        Some(id) => store::find(&app.client, &app.stores, permit, id).await?.metadata.name.clone(),
    };
    let rule = SecurityGroupRule { remote_group, ..wish.rule };
    admit::security_group_rule(app, permit)?;
    let change = |group: &mut SecurityGroup| {
        if let Some(same) = group.spec.rules.iter().find(|r| r.same_as(&rule)) {
            let message = format!("Security group rule already exists. Rule id is {}.", view::rule_id(group, same));
            return Err(Fault::conflict(message).kind("SecurityGroupRuleExists"));
        }
        group.spec.rules.push(rule.clone());
        Ok(())
    };
    let group = store::change(&app.client, &app.stores, permit, group, change).await?;
    Ok((group, rule))
}

/// Deletes a rule.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    remove(&inbound, &permit).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Takes the rule that the path names out of its group.
pub async fn remove(inbound: &Inbound, permit: &Permit) -> Result<(), Fault> {
    let (app, id) = (&inbound.app, inbound.param("id"));
    let is_it = |group: &SecurityGroup| group.spec.rules.iter().any(|r| view::rule_id(group, r) == id);
    let group = store::all(&app.stores, permit, false).into_iter().find(|g| is_it(g)).ok_or_else(|| missing(id))?;
    let change = |group: &mut SecurityGroup| {
        let ids: Vec<String> = group.spec.rules.iter().map(|r| view::rule_id(group, r)).collect();
        let mut ids = ids.iter();
        let before = group.spec.rules.len();
        group.spec.rules.retain(|_| ids.next().is_none_or(|known| known != id));
        if group.spec.rules.len() == before { Err(missing(id)) } else { Ok(()) }
    };
    store::change(&app.client, &app.stores, permit, group, change).await.map(drop)
}
