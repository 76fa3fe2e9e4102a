//! Which addresses an image may be fetched from. A tenant names the URL, so the machine's own services, the cloud's
//! metadata service and multicast are closed unless an admin opens them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Addresses that are open although they are special.
#[derive(Debug, Clone, Default)]
pub struct AddressGuard {
    allowed: Vec<IpNet>,
}

impl AddressGuard {
    /// A guard that lets `allowed` pass beside all ordinary addresses.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether a connection to `address` may be made.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address)) || !is_special(address)
    }

    /// Whether the host part of a URL may be asked; names are checked when they are resolved.
    pub fn permits_url(&self, url: &reqwest::Url) -> bool {
        match url.host() {
            Some(url::Host::Ipv4(a)) => self.permits(a.into()),
            Some(url::Host::Ipv6(a)) => self.permits(a.into()),
            Some(url::Host::Domain(_)) => true,
            None => false,
        }
    }
}

/// Where clouds serve metadata to their machines beside 169.254.169.254: Alibaba and EC2.
const CLOUD_METADATA: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254))];

/// The well-known prefix with which a v6 address stands for a v4 one (RFC 6052).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

fn is_special(address: IpAddr) -> bool {
    if CLOUD_METADATA.contains(&address) {
        return true;
    }
    match address {
        IpAddr::V4(a) => {
            a.is_loopback()
                || a.is_link_local()
                || a.is_unspecified()
                || a.is_multicast()
                || a.is_broadcast()
                || a.octets()[0] == 0
        }
        IpAddr::V6(a) if a.segments().starts_with(&NAT64) => {
            let [.., w, x, y, z] = a.octets();
            is_special(Ipv4Addr::new(w, x, y, z).into())
        }
        IpAddr::V6(a) => a.is_loopback() || a.is_unspecified() || a.is_multicast() || a.is_unicast_link_local(),
    }
}

/// Resolves names and drops the addresses that the guard refuses, so that a name cannot smuggle one in.
impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let open: Vec<SocketAddr> = found.into_iter().filter(|a| guard.permits(a.ip())).collect();
            if open.is_empty() {
                return Err(format!("no address of {} may be asked for images", name.as_str()).into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_itself_and_the_metadata_service_are_closed() {
        let guard = AddressGuard::default();
        for closed in [
            "127.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "::ffff:127.0.0.1",
            "fe80::1",
            "224.0.0.1",
            "100.100.100.200",
            "fd00:ec2::254",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(!guard.permits(closed.parse().unwrap()), "{closed}");
        }
        for open in ["10.0.0.1", "192.0.2.7", "2001:db8::1"] {
            assert!(guard.permits(open.parse().unwrap()), "{open}");
        }
    }

    #[test]
    fn an_admin_opens_what_is_closed() {
        let guard = AddressGuard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert!(guard.permits("127.0.0.1".parse().unwrap()));
        assert!(guard.permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!guard.permits("169.254.169.254".parse().unwrap()));
    }

    #[test]
    fn a_url_with_a_closed_address_is_refused_in_every_spelling() {
        let guard = AddressGuard::default();
        for url in ["http://127.0.0.1/a", "http://2130706433/a", "http://0x7f.1/a", "http://[::1]/a"] {
            assert!(!guard.permits_url(&url.parse().unwrap()), "{url}");
        }
    }
}
