//! Keeps the rules of the SecurityGroups at the guests' ports.
//!
//! ```text
//!   SecurityGroups, Servers of this host ──► engine::port_rules::compile ──► nft
//! ```
//!
//! A guest is not started before its rules are there. They stay when this process ends.

mod nft;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use kube::{
    Api, Client, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::{self, Store, store::Writer},
        watcher,
    },
};
use ostler_crds::{SecurityGroup, Server, find_condition, names::reason, server::ServerAddress};
use ostler_engine::{
    guest::{Failure, FailureKind, identify},
    port_rules::{Groups, compile, missing},
};
use ostler_hypervisor::{GuestEvent, Hypervisor, port_rules::PortRules as Rules};
use tokio::sync::{Mutex, Notify, SetOnce};
use tokio_util::sync::CancellationToken;

use super::{Node, network_namespace::NetworkNamespace, watch::Servers};
use crate::common::watch::patient;

/// How often it is looked whether the kernel has the rules still.
const PERIOD: Duration = Duration::from_secs(30);
const DOING: &str = "cannot have the rules of the security groups at the guests' ports";

/// The rules, and what the kernel was told of them last.
pub struct PortRules {
    groups: Store<SecurityGroup>,
    /// Set when the groups are known. The store's own word for that wakes one who waits, and here are two.
    known: SetOnce<()>,
    servers: Servers,
    namespace: NetworkNamespace,
    stale: AtomicBool,
    told: Mutex<Option<Rules>>,
    changed: Notify,
}

impl PortRules {
    /// Rules that the kernel was not told of yet, and what fills the store of groups.
    pub fn new(servers: Servers, namespace: NetworkNamespace) -> (Self, Writer<SecurityGroup>) {
        let (groups, writer) = reflector::store();
        let (stale, told, changed) = (AtomicBool::new(true), Mutex::default(), Notify::new());
        (Self { groups, known: SetOnce::new(), servers, namespace, stale, told, changed }, writer)
    }

    /// Waits until the groups are known.
    pub async fn wait_until_known(&self) {
        self.known.wait().await;
    }

    /// A Server or a SecurityGroup is another one than before.
    pub fn touched(&self) {
        self.stale.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Has the rules that hold now.
    ///
    /// # Errors
    /// The host cannot filter what its bridges carry, or nft is not there or refuses.
    pub async fn ensure(&self) -> Result<(), Failure> {
        let mut told = self.told.lock().await;
        if !self.stale.swap(false, Ordering::AcqRel) && told.is_some() {
            return Ok(());
        }
        let servers = self.servers.0.state();
        let servers: Vec<&Server> = servers.iter().filter_map(|s| s.0.as_ref().ok()).collect();
        let wanted = compile(&servers, &self.all_groups());
        if told.as_ref() == Some(&wanted) {
            return Ok(());
        }
        match nft::put(&self.namespace, &wanted).await {
            Ok(()) => {
                tracing::info!(ports = wanted.ports.len(), "the rules of the security groups are set");
                *told = Some(wanted);
                Ok(())
            }
            // Whoever needs no rules needs no nft either.
            Err(error) if wanted.is_empty() && told.is_none() => {
                tracing::debug!(%error, "cannot remove rules that an earlier run may have left");
                *told = Some(wanted);
                Ok(())
            }
            Err(error) => {
                self.stale.store(true, Ordering::Release);
                Err(Failure::new(FailureKind::PortRules, DOING, error.to_string()))
            }
        }
    }

    /// Has the rules, those of this Server among them.
    ///
    /// # Errors
    /// As of [`PortRules::ensure`], if this Server has rules; or it names a SecurityGroup that does not exist.
    pub async fn ensure_for(&self, uid: &str) -> Result<(), Failure> {
        let ensured = self.ensure().await;
        let Some(server) = self.servers.by_uid(uid) else { return ensured };
        let groups = self.all_groups();
        match ensured {
            Err(failure) if self.concerns(&server, &groups).await => return Err(failure),
            Ok(()) | Err(_) => {}
        }
        match missing(&server, &groups) {
            None => Ok(()),
            Some(name) => {
                let cause = format!("spec.securityGroups: there is no SecurityGroup {name:?} in this namespace");
                Err(Failure::new(FailureKind::SecurityGroupMissing, DOING, cause))
            }
        }
    }

    /// Whether it shall have rules, or has some.
    async fn concerns(&self, server: &Server, groups: &Groups) -> bool {
        let has = |address: &ServerAddress, told: &Rules| {
            address.address.parse().is_ok_and(|address| told.ports.contains_key(&address))
        };
        let addresses = || server.status.iter().flat_map(|status| &status.addresses);
        let told = self.told.lock().await;
        !compile(&[server], groups).is_empty() || addresses().any(|a| told.as_ref().is_some_and(|told| has(a, told)))
    }

    /// Notes it when the kernel has lost the rules.
    async fn verify(&self) {
        let mut told = self.told.lock().await;
        if let Some(rules) = told.as_ref().filter(|rules| !rules.is_empty())
            && !nft::has(&self.namespace, rules).await
        {
            tracing::warn!("somebody removed the rules of the security groups; putting them back");
            *told = None;
        }
    }

    fn all_groups(&self) -> Groups {
        let key = |group: &SecurityGroup| (group.namespace().unwrap_or_default(), group.name_any());
        self.groups.state().into_iter().map(|group| (key(&group), group)).collect()
    }
}

/// Keeps the rules until `shutdown`.
pub async fn run<H: Hypervisor>(node: Arc<Node<H>>, shutdown: CancellationToken) {
    if shutdown.run_until_cancelled(node.port_rules.wait_until_known()).await.is_none() {
        return;
    }
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = node.port_rules.changed.notified() => {}
            () = tokio::time::sleep(PERIOD) => node.port_rules.verify().await,
        }
        if let Err(failure) = node.port_rules.ensure().await {
            tracing::warn!(kind = failure.kind.label(), cause = failure.cause, "{DOING}");
            let groups = node.port_rules.all_groups();
            tell(&node, |server| !compile(&[server], &groups).is_empty());
        }
    }
}

/// Follows the SecurityGroups.
pub async fn follow<H: Hypervisor>(
    node: Arc<Node<H>>,
    client: Client,
    writer: Writer<SecurityGroup>,
    shutdown: CancellationToken,
) {
    let events = patient(watcher(Api::<SecurityGroup>::all(client), watcher::Config::default().any_semantic()));
    let following = events.reflect(writer).for_each(|event| {
        match event {
            Ok(watcher::Event::InitApply(_) | watcher::Event::Init) => {}
            Ok(watcher::Event::InitDone) => {
                // It is set already when the watch begins anew.
                let _ = node.port_rules.known.set(());
                node.port_rules.touched();
            }
            Ok(watcher::Event::Apply(group)) => concern(&node, &group, is_without_group),
            Ok(watcher::Event::Delete(group)) => concern(&node, &group, |_| true),
            Err(error) => tracing::warn!(%error, "watching SecurityGroups; trying again"),
        }
        std::future::ready(())
    });
    shutdown.run_until_cancelled_owned(following).await;
}

/// Has the rules put anew, and the Servers of the group looked at of which `holds` holds.
fn concern<H: Hypervisor>(node: &Node<H>, group: &SecurityGroup, holds: impl Fn(&Server) -> bool) {
    node.port_rules.touched();
    let name = group.name_any();
    let names_it = |s: &Server| s.namespace() == group.namespace() && s.spec.security_groups().contains(&&*name);
    tell(node, |server| names_it(server) && holds(server));
}

/// Has the Servers looked at of which `holds` holds.
fn tell<H: Hypervisor>(node: &Node<H>, holds: impl Fn(&Server) -> bool) {
    for server in node.servers.all_where(holds) {
        if let Ok(identity) = identify(&server) {
            node.signals.tell(GuestEvent::Changed(identity.guest));
        }
    }
}

fn is_without_group(server: &Server) -> bool {
    let ready = server.status.as_ref().and_then(|s| find_condition(&s.conditions, "Ready"));
    ready.is_some_and(|c| c.reason == reason::SECURITY_GROUP_NOT_FOUND)
}
