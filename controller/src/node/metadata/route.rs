//! Rules by which 169.254.169.254 is this host's own address for what comes in on our bridges, and for nothing else.
//!
//! ```text
//!   ip route add local 169.254.169.254 dev lo table 8775
//!   ip rule add iif BRIDGE to 169.254.169.254 lookup 8775 priority 80      one a bridge
//! ```
//!
//! A rule stays when this process ends and when its bridge goes, and holds again when the bridge is back: a guest never
//! reaches what the host itself finds at that address.

use std::{io, num::NonZeroI32};

use futures::TryStreamExt;
use ostler_hypervisor::nwfilter_xml::METADATA_ADDRESS;
use rtnetlink::{
    Error, Handle, IpVersion, RouteMessageBuilder, new_connection,
    packet_route::{
        route::{RouteScope, RouteType},
        rule::{RuleAction, RuleAttribute, RuleMessage},
    },
};
use tokio_util::task::AbortOnDropHandle;

use super::super::network_namespace::NetworkNamespace;

/// The routing table of the metadata service, which also marks the rules as ours.
const TABLE: u32 = 8775;
/// Before the main table, and before those that other tools put in front of it.
const PRIORITY: u32 = 80;
/// Index of `lo`, in every network namespace.
const LOOPBACK: u32 = 1;
const EEXIST: i32 = 17;

/// Has the rules of these bridges, and none of others.
pub async fn ensure(namespace: &NetworkNamespace, bridges: &[&str]) -> io::Result<()> {
    let runtime = tokio::runtime::Handle::current();
    let (connection, handle, _) = namespace.run(|| {
        let _inside = runtime.enter();
        new_connection()
    })?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    rules(&handle, bridges).await.map_err(io::Error::other)
}

async fn rules(handle: &Handle, bridges: &[&str]) -> Result<(), Error> {
    let there: Vec<RuleMessage> = handle.rule().get(IpVersion::V4).execute().try_collect().await?;
    let ours: Vec<RuleMessage> = there.into_iter().filter(is_ours).collect();
    let route = RouteMessageBuilder::<std::net::Ipv4Addr>::new()
        .destination_prefix(METADATA_ADDRESS, 32)
        .output_interface(LOOPBACK)
        .table_id(TABLE)
        .kind(RouteType::Local)
        .scope(RouteScope::Host)
        .build();
    there_already(handle.route().add(route).execute().await)?;
    for bridge in bridges.iter().filter(|bridge| !ours.iter().any(|rule| bridge_of(rule) == Some(bridge))) {
        let rule = handle.rule().add().v4().input_interface(*bridge).destination_prefix(METADATA_ADDRESS, 32);
        there_already(rule.table_id(TABLE).priority(PRIORITY).action(RuleAction::ToTable).execute().await)?;
    }
    for rule in ours {
        if bridge_of(&rule).is_none_or(|bridge| !bridges.contains(&bridge)) {
            handle.rule().del(rule).execute().await?;
        }
    }
    Ok(())
}

fn is_ours(rule: &RuleMessage) -> bool {
    rule.attributes.contains(&RuleAttribute::Table(TABLE))
}

fn bridge_of(rule: &RuleMessage) -> Option<&str> {
    rule.attributes.iter().find_map(|attribute| match attribute {
        RuleAttribute::Iifname(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Somebody made it meanwhile, or an earlier run.
fn there_already(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::NetlinkError(message)) if message.code.map(NonZeroI32::get) == Some(-EEXIST) => Ok(()),
        other => other,
    }
}
