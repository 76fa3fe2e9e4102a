//! Guests of this machine whose Server was bound to another Host while this one was away (fenced and evacuated): the Server
//! says with its own uid that it lives elsewhere. They are powered off while this machine is fenced, and removed before any
//! guest is looked after: at the start, and when a fence is lifted. A guest whose Server cannot be found is left alone.

use kube::{Api, ResourceExt};
use ostler_crds::Server;
use ostler_engine::guest::{Identity, Memory, ValidatedServer, Wish, decide, validate::reservations};
use ostler_hypervisor::{Hypervisor, HypervisorStep, ObservedDomain};

use super::{Node, act, observe};

/// Removes the guests that moved away. What cannot be done now is done at the next start.
pub async fn remove<H: Hypervisor>(node: &Node<H>) {
    let domains = match node.hypervisor.observe_all().await {
        Ok(domains) => domains,
        Err(error) => {
            tracing::warn!(%error, "cannot look for guests that moved away; the next start does");
            return;
        }
    };
    for domain in domains {
        if let Some(server) = moved_away(node, &domain).await {
            remove_one(node, &server, &domain).await;
        }
    }
}

/// Powers off the guests that moved away. Those that did not are powered off by their own passes.
pub async fn power_off<H: Hypervisor>(node: &Node<H>) {
    let domains = match node.hypervisor.observe_all().await {
        Ok(domains) => domains,
        Err(error) => {
            tracing::warn!(%error, "cannot look for guests that moved away from this fenced machine");
            return;
        }
    };
    for domain in domains.into_iter().filter(|d| d.state.is_active()) {
        let Some(server) = moved_away(node, &domain).await else { continue };
        let (server, namespace) = (server.name_any(), server.namespace());
        match node.hypervisor.execute(&HypervisorStep::Destroy(domain.id)).await {
            Ok(()) => tracing::warn!(server, namespace, "powered off a guest that moved away from this fenced machine"),
            Err(error) => tracing::warn!(server, namespace, %error, "cannot power off a guest that moved away"),
        }
    }
}

/// The Server of a domain, if it is bound to another Host for sure.
async fn moved_away<H: Hypervisor>(node: &Node<H>, domain: &ObservedDomain) -> Option<Server> {
    let owner = domain.owner.as_ref()?;
    let servers = Api::<Server>::namespaced(node.client.clone(), &owner.namespace);
    let server = match servers.get_opt(&owner.name).await {
        Ok(server) => server?,
        Err(error) => {
            tracing::warn!(%error, server = owner.name, "cannot ask where a guest lives; the next start does");
            return None;
        }
    };
    let elsewhere = server.status.as_ref().and_then(|s| s.host.as_ref()).is_some_and(|host| *host != node.name);
    (server.uid().as_deref() == Some(&owner.uid) && elsewhere).then_some(server)
}

async fn remove_one<H: Hypervisor>(node: &Node<H>, server: &Server, domain: &ObservedDomain) {
    let Some(owner) = domain.owner.clone() else { return };
    let identity = Identity { guest: domain.id, owner, generation: 0 };
    let files = match node.storage.observe(domain.id, vec![]).await {
        Ok(files) => files,
        Err(failure) => {
            tracing::warn!(cause = failure.cause, server = server.name_any(), "cannot look at a guest that moved away");
            return;
        }
    };
    let observed = ostler_engine::guest::Observed { domain: Some(domain.clone()), files };
    let status = server.status.clone().unwrap_or_default();
    let wish = Wish::Absent { reservations: status.addresses.iter().map(reservations).collect() };
    let absent = ValidatedServer { identity: identity.clone(), wish };
    let Ok(host) = observe::context(node, domain.id).await else { return };
    let decision = decide(&absent, &observed, &host, &Memory::default(), jiff::Timestamp::now());
    let accelerator = host.accelerator;
    match act::act(node, &identity, accelerator, &decision.steps).await {
        act::Acted::Done => {
            tracing::info!(
                server = server.name_any(),
                namespace = server.namespace(),
                "removed a guest that moved away"
            );
        }
        other => tracing::warn!(server = server.name_any(), ?other, "could not remove a guest that moved away"),
    }
}
