//! What this host shows of one guest.

use ostler_crds::Server;
use ostler_engine::guest::{Failure, HostContext, Identity, Observed, images};
use ostler_hypervisor::{GuestId, Hypervisor, ObservedDomain};

use super::Node;

/// The guest's domain and files.
pub async fn observe<H: Hypervisor>(node: &Node<H>, id: &Identity, server: &Server) -> Result<Observed, Failure> {
    let domain = domain(node, id.guest).await?;
    let files = node.storage.observe(id.guest, images(server)).await?;
    Ok(Observed { domain, files })
}

/// The guest's domain alone.
pub async fn domain<H: Hypervisor>(node: &Node<H>, guest: GuestId) -> Result<Option<ObservedDomain>, Failure> {
    node.hypervisor.observe(guest).await.map_err(|e| Failure::of_hypervisor(e, "cannot look at the guest"))
}

/// What decisions need to know of this host.
pub async fn context<H: Hypervisor>(node: &Node<H>, guest: GuestId) -> Result<HostContext, Failure> {
    let facts = match node.host.facts() {
        Some(facts) => facts,
        None => {
            let asked = node.hypervisor.host().await;
            let facts = asked.map_err(|e| Failure::of_hypervisor(e, "cannot look at the host"))?;
            node.host.learn(facts.clone());
            facts
        }
    };
    let layout = node.storage.layout();
    Ok(HostContext {
        zone: node.host.zone(),
        accelerator: facts.accelerator,
        root_disk: layout.root_disk(guest),
        rescue_disk: layout.rescue_disk(guest),
        config_drive: layout.config_drive(guest),
        console_log: layout.console_log(guest),
    })
}
