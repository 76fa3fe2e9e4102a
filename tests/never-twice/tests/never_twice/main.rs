//! No Server runs on two Hosts, and no disk that is in use is removed, whatever happens: crashes of machines and of node
//! roles, cuts, stale caches, late and lost writes, silence, fencing, evacuation and deletion in any order.
//!
//! Every reachable state of a small cluster is visited. What the parts decide are the engine's own functions; what they
//! see, when it arrives and who dies is up to the checker. Two things are assumed: a fence is only set while the machine
//! is off (that is what the statement means), and the API server keeps its word (resource versions, admission policies).
//!
//! Servers share nothing but machines here, so what two of them can come to, each of them can come to alone; two are
//! explored to a limited depth all the same.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a test, whose number of states is what it is run for")]

mod decided;
mod model;
mod state;

use std::collections::HashSet;

use model::Protocol;
use stateright::{Checker, HasDiscoveries, Model};

fn explore(name: &str, protocol: Protocol, depth: usize) {
    let checker = protocol.checker().threads(2).target_max_depth(depth).spawn_bfs().join();
    println!("{name}: {} states explored, depth {}", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

const ALL: usize = usize::MAX;

#[test]
fn one_server_and_two_hosts_with_two_faults() {
    let protocol = Protocol { hosts: 2, servers: 1, faults: 2, fences: 1, in_flight: 1, claims: true };
    explore("1 Server, 2 Hosts, 2 faults", protocol, ALL);
}

#[test]
fn one_server_and_two_hosts_with_two_writes_on_their_way() {
    let protocol = Protocol { hosts: 2, servers: 1, faults: 1, fences: 1, in_flight: 2, claims: true };
    explore("1 Server, 2 Hosts, 2 writes on their way", protocol, ALL);
}

#[test]
fn one_server_and_three_hosts() {
    let protocol = Protocol { hosts: 3, servers: 1, faults: 1, fences: 1, in_flight: 1, claims: true };
    explore("1 Server, 3 Hosts", protocol, ALL);
}

#[test]
fn two_servers_and_two_hosts() {
    let protocol = Protocol { hosts: 2, servers: 2, faults: 1, fences: 1, in_flight: 1, claims: true };
    let checker = protocol.checker().threads(2).target_max_depth(11).spawn_bfs().join();
    println!("2 Servers, 2 Hosts: {} states explored to depth {}", checker.unique_state_count(), checker.max_depth());
    let found: HashSet<_> = checker.discoveries().into_keys().collect();
    assert!(found.iter().all(|name| !model::NEVER.contains(name)), "{found:?}");
}

/// The checker sees what it is there to see.
#[test]
fn without_claims_a_manager_with_an_old_cache_would_start_a_guest_twice() {
    let protocol = Protocol { hosts: 2, servers: 1, faults: 1, fences: 1, in_flight: 1, claims: false };
    let twice = HasDiscoveries::AnyOf([model::NEVER[0]].into());
    let checker = protocol.checker().threads(2).finish_when(twice).spawn_bfs().join();
    assert!(checker.discovery(model::NEVER[0]).is_some());
}
