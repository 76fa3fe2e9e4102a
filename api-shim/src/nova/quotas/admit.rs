//! What a project's quota lets in. The manager decides again when it places a Server; here the client is told at once.

use ostler_crds::quota::{self, Resource, Usage};

use crate::{
    app::App,
    authorize::Permit,
    fault::Fault,
    store::{
        quotas::{Quotas, used},
        security_groups,
    },
};

fn forbidden(exceeded: quota::Exceeded) -> Fault {
    Fault::forbidden(exceeded.to_string())
}

/// How many Servers of a Flavor (by `metadata.name`) may be made: `most` if they fit, else as many as fit, at least `least`;
/// 403 if not even those fit.
pub fn servers(app: &App, permit: &Permit, flavor: &str, least: u32, most: u32) -> Result<u32, Fault> {
    let (stores, project, user) = (&app.stores, permit.project(), permit.caller().user.id());
    let quotas = Quotas::of(stores, project);
    let size = stores.flavors.get(None, flavor).map(|f| (f.spec.vcpus, f.spec.memory_mib)).unwrap_or_default();
    let (all, own) = (used(stores, project, None), used(stores, project, Some(&user)));
    let fits = |count: u32| {
        let asked = Usage::of(u64::from(count), size.0, size.1);
        quota::servers_fit(|r| quotas.limit(r), all, asked)?;
        quota::servers_fit(|r| quotas.limit_of_user(&user, r), own, asked)
    };
    let least = least.min(most).max(1);
    match (least..=most).rev().find(|count| fits(*count).is_ok()) {
        Some(count) => Ok(count),
        None => fits(least).map(|()| least).map_err(forbidden),
    }
}

/// Whether a Server of `from` (processors, memory in MiB) may grow to `to`; 403 if it may not. What shrinks always fits.
pub fn resize(app: &App, permit: &Permit, from: (u32, u64), to: (u32, u64)) -> Result<(), Fault> {
    let (stores, project) = (&app.stores, permit.project());
    let quotas = Quotas::of(stores, project);
    let more =
        Usage { instances: 0, cores: u64::from(to.0.saturating_sub(from.0)), memory_mib: to.1.saturating_sub(from.1) };
    quota::servers_fit(|r| quotas.limit(r), used(stores, project, None), more).map_err(forbidden)
}

/// Whether one server may have so many metadata items.
pub fn metadata(app: &App, permit: &Permit, items: usize) -> Result<(), Fault> {
    let limit = Quotas::of(&app.stores, permit.project()).limit(Resource::MetadataItems);
    quota::fits(Resource::MetadataItems, limit, 0, items as u64)
        .map_err(|_| Fault::forbidden(format!("Maximum number of metadata items exceeds {limit}")))
}

/// Whether the project may have one more security group, with so many rules. The default one counts.
pub fn security_group(app: &App, permit: &Permit, rules: usize) -> Result<(), Fault> {
    let groups = security_groups::all(&app.stores, permit, false).len() as u64;
    let limit = Quotas::of(&app.stores, permit.project()).limit(Resource::SecurityGroups);
    quota::fits(Resource::SecurityGroups, limit, groups, 1).map_err(over)?;
    security_group_rules(app, permit, rules as u64)
}

/// Whether the project's security groups may have one more rule.
pub fn security_group_rule(app: &App, permit: &Permit) -> Result<(), Fault> {
    security_group_rules(app, permit, 1)
}

fn security_group_rules(app: &App, permit: &Permit, more: u64) -> Result<(), Fault> {
    let known = app.stores.security_groups.in_namespace(permit.project());
    let rules: usize = known.iter().map(|g| g.spec.rules.len()).sum();
    let limit = Quotas::of(&app.stores, permit.project()).limit(Resource::SecurityGroupRules);
    quota::fits(Resource::SecurityGroupRules, limit, rules as u64, more).map_err(over)
}

/// Neutron's refusal.
fn over(exceeded: quota::Exceeded) -> Fault {
    Fault::conflict(exceeded.to_string()).kind("OverQuota")
}

/// Whether a user that has so many key pairs may have one more.
pub fn key_pair(app: &App, permit: &Permit, user: &str, known: usize) -> Result<(), Fault> {
    let limit = Quotas::of(&app.stores, permit.project()).limit_of_user(user, Resource::KeyPairs);
    quota::fits(Resource::KeyPairs, limit, known as u64, 1)
        .map_err(|_| Fault::forbidden("Quota exceeded, too many key pairs."))
}
