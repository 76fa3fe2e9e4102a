//! Which guest asks.

use std::net::Ipv4Addr;

use ostler_crds::Server;
use ostler_hypervisor::NetworkDefinition;

use super::super::watch::Servers;

/// The one Server that holds this address on this network, as the hypervisor names it. `None`: there is none, or more than
/// one, and then nobody is answered.
pub fn of(servers: &Servers, network: &str, address: Ipv4Addr) -> Option<Server> {
    only(servers.all_where(|server| holds(server, network, address)))
}

fn only(mut holders: Vec<Server>) -> Option<Server> {
    let holder = holders.pop()?;
    holders.is_empty().then_some(holder)
}

fn holds(server: &Server, network: &str, address: Ipv4Addr) -> bool {
    let addresses = server.status.iter().flat_map(|status| &status.addresses);
    addresses
        .into_iter()
        .any(|a| NetworkDefinition::hypervisor_name(&a.network) == network && a.address.parse() == Ok(address))
}

#[cfg(test)]
mod tests {
    use ostler_crds::server::{ServerAddress, ServerStatus};

    use super::*;

    fn server(name: &str, network: &str, address: &str) -> Server {
        let mut server = Server::new(name, Default::default());
        let address = ServerAddress {
            network: network.into(),
            address: address.into(),
            prefix_length: 24,
            mac: "fa:16:3e:00:00:01".into(),
            gateway: None,
            dns_servers: vec![],
            mtu: None,
            label: network.into(),
        };
        server.status = Some(ServerStatus { addresses: vec![address], ..ServerStatus::default() });
        server
    }

    fn name_of(network: &str, address: [u8; 4]) -> Option<String> {
        let servers = vec![
            server("a", "one", "10.0.0.5"),
            server("b", "two", "10.0.0.5"),
            server("c", "one", "10.0.0.6"),
            server("d", "one", "10.0.0.7"),
            server("e", "one", "10.0.0.7"),
        ];
        let address = Ipv4Addr::from(address);
        only(servers.into_iter().filter(|s| holds(s, network, address)).collect())
            .and_then(|server| server.metadata.name)
    }

    #[test]
    fn a_guest_is_known_by_its_network_and_address_together() {
        assert_eq!(name_of("ostler-one", [10, 0, 0, 5]).as_deref(), Some("a"));
        assert_eq!(name_of("ostler-two", [10, 0, 0, 5]).as_deref(), Some("b"));
        assert_eq!(name_of("ostler-two", [10, 0, 0, 6]), None);
        assert_eq!(name_of("one", [10, 0, 0, 5]), None);
    }

    #[test]
    fn two_that_claim_one_address_are_both_refused() {
        assert_eq!(name_of("ostler-one", [10, 0, 0, 7]), None);
    }
}
