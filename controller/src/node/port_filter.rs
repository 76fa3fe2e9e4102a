//! Keeps the filter at the guests' ports: what the administrator denies, and whatever addresses this host has just now.

use std::{
    collections::BTreeSet,
    fs,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ipnet::Ipv4Net;
use ostler_engine::guest::{Failure, FailureKind};
use ostler_hypervisor::{FilterDefinition, Hypervisor, HypervisorStep};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Node, network_namespace::NetworkNamespace};

/// How often the host's addresses are looked at.
const PERIOD: Duration = Duration::from_secs(30);
const DOING: &str = "cannot have the filter at the guests' ports";

/// Settings of the filter.
#[derive(clap::Args, Debug, Clone)]
#[group(id = "port_filter")]
pub struct Args {
    /// IPv4 range that no packet of a guest may go to: the cluster's services and pods, the machines' own network. The
    /// addresses of this machine are always denied. Repeatable.
    #[arg(long, env = "OSTLER_GUEST_DENIED_CIDR", value_delimiter = ',', default_value = "169.254.0.0/16")]
    pub guest_denied_cidr: Vec<Ipv4Net>,
}

/// The filter, and what libvirt was told of it last.
pub struct PortFilter {
    denied: Vec<Ipv4Net>,
    metadata_service: bool,
    namespace: NetworkNamespace,
    told: Mutex<Option<FilterDefinition>>,
    /// Rung when libvirt came back, maybe without the filter.
    pub forgotten: Notify,
}

impl PortFilter {
    /// A filter that libvirt was not told of yet.
    pub fn new(args: &Args, metadata_service: bool, namespace: NetworkNamespace) -> Self {
        Self {
            denied: args.guest_denied_cidr.clone(),
            metadata_service,
            namespace,
            told: Mutex::default(),
            forgotten: Notify::new(),
        }
    }

    /// Tells libvirt of the filter, if it is another one than last time.
    ///
    /// # Errors
    /// The host's addresses cannot be read, or libvirt refuses.
    pub async fn ensure<H: Hypervisor>(&self, hypervisor: &H) -> Result<(), Failure> {
        let wanted = self.definition().map_err(|e| Failure::new(FailureKind::Storage, DOING, e.to_string()))?;
        if self.told().as_ref() == Some(&wanted) {
            return Ok(());
        }
        let step = HypervisorStep::EnsureFilter(wanted.clone());
        hypervisor.execute(&step).await.map_err(|e| Failure::of_hypervisor(e, DOING))?;
        tracing::info!(denied = wanted.denied.len(), "the filter at the guests' ports is set");
        *self.told() = Some(wanted);
        Ok(())
    }

    fn definition(&self) -> std::io::Result<FilterDefinition> {
        let table = self.namespace.run(|| fs::read_to_string("/proc/thread-self/net/fib_trie"))?;
        let own = local_addresses(&table).into_iter().filter(|address| !address.is_loopback()).map(Ipv4Net::from);
        let denied = Ipv4Net::aggregate(&self.denied.iter().copied().chain(own).collect());
        Ok(FilterDefinition { metadata_service: self.metadata_service, denied })
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Option<FilterDefinition>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the filter until `shutdown`.
pub async fn run<H: Hypervisor>(node: Arc<Node<H>>, shutdown: CancellationToken) {
    loop {
        if let Err(failure) = node.port_filter.ensure(&node.hypervisor).await {
            tracing::warn!(kind = failure.kind.label(), cause = failure.cause, "{DOING}");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = node.port_filter.forgotten.notified() => *node.port_filter.told() = None,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// The addresses that the kernel takes for the host's own, from `/proc/net/fib_trie`.
fn local_addresses(table: &str) -> BTreeSet<Ipv4Addr> {
    let mut found = BTreeSet::new();
    let mut address: Option<Ipv4Addr> = None;
    for line in table.lines().map(str::trim) {
        if let Some(leaf) = line.strip_prefix("|-- ") {
            address = leaf.parse().ok();
        } else if line == "/32 host LOCAL" {
            found.extend(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_addresses_are_those_that_are_local_and_no_networks() {
        let table = "Main:\n  +-- 0.0.0.0/0 3 0 4\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 10.77.0.0/24 2 0 1\n\
                     \x20       |-- 10.77.0.0\n           /24 link UNICAST\n        |-- 10.77.0.1\n           /32 host LOCAL\n\
                     \x20       |-- 10.77.0.255\n           /32 link BROADCAST\nLocal:\n     |-- 127.0.0.0\n        /31 link \
                     BROADCAST\n        /8 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.7\n        \
                     /32 host LOCAL\n";
        let wanted = [[10, 77, 0, 1], [127, 0, 0, 1], [192, 0, 2, 7]].map(Ipv4Addr::from);
        assert_eq!(local_addresses(table), BTreeSet::from(wanted));
        assert!(local_addresses("").is_empty());
    }

    #[test]
    fn this_machine_has_addresses() {
        let filter = PortFilter::new(&Args { guest_denied_cidr: vec![] }, true, NetworkNamespace::default());
        let table = fs::read_to_string("/proc/net/fib_trie").unwrap();
        assert!(local_addresses(&table).contains(&Ipv4Addr::LOCALHOST));
        assert!(!filter.definition().unwrap().denied.contains(&Ipv4Net::from(Ipv4Addr::LOCALHOST)));
    }
}
