//! Where the other Servers are that a Server's scheduler hints speak of.

use std::collections::BTreeSet;

use kube::{ResourceExt, runtime::reflector::ObjectRef};
use ostler_crds::{OpenStackId, Server, names::reason};
use ostler_engine::{
    affinity::{Affinity, Members},
    resolve::Refusal,
};

use super::{ledger::Ledger, stores::Stores};

/// What the hints say of hosts. Only Servers of its own namespace count; bindings on their way count too.
pub fn of(server: &Server, ledger: &Ledger, stores: &Stores) -> Result<Affinity, Refusal> {
    let Some(hints) = &server.spec.scheduler_hints else { return Ok(Affinity::default()) };
    let namespace = server.namespace().unwrap_or_default();
    let group = hints.group.as_ref().and_then(|g| stores.server_groups.get(&ObjectRef::new(g).within(&namespace)));
    // A group that went after a Server was placed by it asks nothing of it any more.
    let launched = server.status.as_ref().is_some_and(|s| s.launched_at.is_some());
    if let Some(name) = hints.group.as_ref().filter(|_| group.is_none() && !launched) {
        let message = format!(
            "spec.schedulerHints.group: there is no ServerGroup {name:?} in namespace {namespace}; see kubectl get servergroups"
        );
        return Err(Refusal { reason: reason::SERVER_GROUP_NOT_FOUND, message, passing: false });
    }
    let mut members = Members::new();
    let (mut same, mut different) = (BTreeSet::new(), BTreeSet::new());
    for other in stores.servers.state() {
        if other.namespace().as_deref() != Some(&namespace) || other.uid() == server.uid() {
            continue;
        }
        let Some(host) = ledger.host_of(&other.uid().unwrap_or_default()) else { continue };
        let other_group = other.spec.scheduler_hints.as_ref().and_then(|h| h.group.as_ref());
        if hints.group.is_some() && other_group == hints.group.as_ref() {
            *members.entry(host.to_owned()).or_default() += 1;
        }
        let id = OpenStackId::of(&other.metadata).map(|i| i.to_string()).unwrap_or_default();
        if hints.same_host.contains(&id) {
            same.insert(host.to_owned());
        }
        if hints.different_host.contains(&id) {
            different.insert(host.to_owned());
        }
    }
    let same = (!hints.same_host.is_empty()).then_some(same);
    Ok(Affinity::of(group.as_ref().map(|g| (&g.spec, &members)), same, different))
}
