//! Which address and MAC an interface gets. Cluster-wide, by the leading manager alone; what Servers' status says is
//! the only book.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
};

use ipnet::Ipv4Net;
use ostler_crds::network::Subnet;
use thiserror::Error;
use uuid::Uuid;

/// A subnet that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The range.
    pub net: Ipv4Net,
    /// The router.
    pub gateway: Ipv4Addr,
    /// DNS servers; empty: the gateway.
    pub dns_servers: Vec<Ipv4Addr>,
    first: u32,
    last: u32,
}

/// A subnet that cannot be read. CEL refuses most of these at admission.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadSubnet {
    /// A field is not what it should be.
    #[error("spec.subnets[0].{0} is not valid")]
    Field(&'static str),
    /// The pool's ends are in the wrong order, or there is nothing between them.
    #[error("spec.subnets[0].pool holds no address")]
    EmptyPool,
}

impl Pool {
    /// Reads a subnet.
    pub fn new(subnet: &Subnet) -> Result<Self, BadSubnet> {
        let net: Ipv4Net = subnet.cidr.parse().map_err(|_| BadSubnet::Field("cidr"))?;
        let inner = (u32::from(net.network()) + 1, u32::from(net.broadcast()).saturating_sub(1));
        let address = |text: &String, field| text.parse::<Ipv4Addr>().map_err(|_| BadSubnet::Field(field));
        let gateway = subnet.gateway.as_ref().map(|g| address(g, "gateway")).transpose()?;
        let dns = subnet.dns_servers.iter().flatten().map(|d| address(d, "dnsServers")).collect::<Result<_, _>>()?;
        let (first, last) = match &subnet.pool {
            Some(p) => (address(&p.first, "pool.first")?.into(), address(&p.last, "pool.last")?.into()),
            None => inner,
        };
        let (first, last) = (first.max(inner.0), last.min(inner.1));
        if first > last {
            return Err(BadSubnet::EmptyPool);
        }
        Ok(Self { net, gateway: gateway.unwrap_or(inner.0.into()), dns_servers: dns, first, last })
    }

    /// Whether guests may have this address.
    pub fn holds(&self, address: Ipv4Addr) -> bool {
        address != self.gateway && (self.first..=self.last).contains(&u32::from(address))
    }

    /// How many addresses guests may have.
    pub fn len(&self) -> u64 {
        let all = u64::from(self.last - self.first) + 1;
        all - u64::from((self.first..=self.last).contains(&u32::from(self.gateway)))
    }

    /// Whether there is no address for guests.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoAddress {
    /// All are held.
    #[error("network {0} has no free address")]
    Exhausted(String),
    /// The asked one is held, by another Server or for another interface of this one.
    #[error("address {0} is held already")]
    Taken(Ipv4Addr),
    /// The asked one is not in the pool.
    #[error("address {0} is not one that network {1} gives to guests")]
    Outside(Ipv4Addr, String),
}

/// Who holds what: for each network (by name) the addresses, and all MACs.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// With the uids of the holders: more than one where users wrote statuses of their own.
    addresses: HashMap<String, BTreeMap<Ipv4Addr, BTreeSet<String>>>,
    /// With network, address and uid of the holders.
    macs: BTreeMap<String, BTreeSet<(String, Ipv4Addr, String)>>,
    /// Where the last search ended, so that an address just given back is not the next one to be given out.
    cursor: HashMap<String, Ipv4Addr>,
}

impl Book {
    /// Notes that the Server with `uid` holds an address. Gives the uid of another one that holds it too, which must not
    /// be; the address is free again when none of them holds it.
    pub fn hold(&mut self, network: &str, address: Ipv4Addr, mac: &str, uid: &str) -> Option<String> {
        let holders = self.addresses.entry(network.to_owned()).or_default().entry(address).or_default();
        let other = holders.iter().find(|holder| *holder != uid).cloned();
        holders.insert(uid.to_owned());
        self.macs.entry(mac.to_owned()).or_default().insert((network.to_owned(), address, uid.to_owned()));
        other
    }

    /// Notes that this Server holds it no longer.
    pub fn release(&mut self, network: &str, address: Ipv4Addr, mac: &str, uid: &str) {
        if let Some(held) = self.addresses.get_mut(network)
            && let Some(holders) = held.get_mut(&address)
            && holders.remove(uid)
            && holders.is_empty()
        {
            held.remove(&address);
        }
        if let Some(holders) = self.macs.get_mut(mac)
            && holders.remove(&(network.to_owned(), address, uid.to_owned()))
            && holders.is_empty()
        {
            self.macs.remove(mac);
        }
    }

    /// How many addresses of a network are held.
    pub fn in_use(&self, network: &str) -> u64 {
        self.addresses.get(network).map_or(0, |a| a.len() as u64)
    }

    /// Picks an address with its MAC, and holds both.
    pub fn take(
        &mut self,
        network: &str,
        pool: &Pool,
        asked: Option<Ipv4Addr>,
        uid: &str,
    ) -> Result<(Ipv4Addr, String), NoAddress> {
        let held = self.addresses.entry(network.to_owned()).or_default();
        let address = match asked {
            Some(a) if !pool.holds(a) => return Err(NoAddress::Outside(a, network.to_owned())),
            Some(a) if held.contains_key(&a) => return Err(NoAddress::Taken(a)),
            Some(a) => a,
            None => next_free(pool, held, self.cursor.get(network).copied())
                .ok_or_else(|| NoAddress::Exhausted(network.to_owned()))?,
        };
        let mac = self.mac(network, address);
        self.cursor.insert(network.to_owned(), address);
        self.hold(network, address, &mac, uid);
        Ok((address, mac))
    }

    /// A MAC that nobody holds, derived from network and address: whoever gets the address next gets the same MAC.
    /// dnsmasq refuses an address to a new MAC for as long as the lease of the old one lasts, an hour after its guest is
    /// gone. `fa:16:3e` is OpenStack's own prefix.
    fn mac(&self, network: &str, address: Ipv4Addr) -> String {
        (0u32..)
            .map(|attempt| {
                let seed = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{network}/{attempt}").as_bytes());
                let (s, a) = (seed.as_bytes(), address.octets());
                format!("fa:16:3e:{:02x}:{:02x}:{:02x}", s[0] ^ a[1], s[1] ^ a[2], s[2] ^ a[3])
            })
            .find(|mac| !self.macs.contains_key(mac))
            .unwrap_or_default()
    }
}

/// The first free address after `after`, going round once.
fn next_free(pool: &Pool, held: &BTreeMap<Ipv4Addr, BTreeSet<String>>, after: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
    let start = after.map(u32::from).filter(|a| (pool.first..pool.last).contains(a)).map_or(pool.first, |a| a + 1);
    (start..=pool.last).chain(pool.first..start).map(Ipv4Addr::from).find(|a| pool.holds(*a) && !held.contains_key(a))
}

#[cfg(test)]
mod tests {
    use ostler_crds::network::AddressPool;
    use proptest::prelude::*;

    use super::*;

    fn subnet(cidr: &str) -> Subnet {
        Subnet { cidr: cidr.to_owned(), gateway: None, dns_servers: None, pool: None }
    }

    #[test]
    fn guests_get_neither_the_routers_address_nor_the_ends_of_the_range() {
        let pool = Pool::new(&subnet("10.0.0.0/29")).unwrap();
        assert_eq!(pool.gateway, Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(pool.len(), 5);
        let given: Vec<u8> = (0..8).filter(|n| pool.holds(Ipv4Addr::new(10, 0, 0, *n))).collect();
        assert_eq!(given, [2, 3, 4, 5, 6]);
    }

    #[test]
    fn an_asked_address_is_given_once() {
        let (mut book, pool) = (Book::default(), Pool::new(&subnet("10.0.0.0/29")).unwrap());
        let a = Ipv4Addr::new(10, 0, 0, 4);
        assert_eq!(book.take("n", &pool, Some(a), "u1").unwrap().0, a);
        assert_eq!(book.take("n", &pool, Some(a), "u1"), Err(NoAddress::Taken(a)), "for a second interface");
        assert_eq!(book.take("n", &pool, Some(a), "u2"), Err(NoAddress::Taken(a)));
        let router = Ipv4Addr::new(10, 0, 0, 1);
        assert!(matches!(book.take("n", &pool, Some(router), "u2"), Err(NoAddress::Outside(..))));
    }

    #[test]
    fn an_address_given_back_is_not_the_next_one_given_out() {
        let (mut book, pool) = (Book::default(), Pool::new(&subnet("10.0.0.0/29")).unwrap());
        let (first, mac) = book.take("n", &pool, None, "u1").unwrap();
        book.release("n", first, &mac, "u1");
        assert_ne!(book.take("n", &pool, None, "u2").unwrap().0, first);
    }

    #[test]
    fn who_gets_an_address_next_gets_its_mac() {
        let (mut book, pool) = (Book::default(), Pool::new(&subnet("10.0.0.0/29")).unwrap());
        let (address, mac) = book.take("n", &pool, None, "u1").unwrap();
        book.release("n", address, &mac, "u1");
        assert_eq!(book.take("n", &pool, Some(address), "u2"), Ok((address, mac.clone())));
        assert_ne!(book.take("other", &pool, Some(address), "u2").unwrap().1, mac);
    }

    #[test]
    fn a_pool_in_the_wrong_order_is_refused() {
        let mut s = subnet("10.0.0.0/24");
        s.pool = Some(AddressPool { first: "10.0.0.20".into(), last: "10.0.0.10".into() });
        assert_eq!(Pool::new(&s), Err(BadSubnet::EmptyPool));
    }

    proptest! {
        #[test]
        fn an_address_is_free_once_nobody_holds_it_and_not_before(
            steps in proptest::collection::vec((any::<bool>(), 0u8..4, 2u8..5), 0..60),
        ) {
            let pool = Pool::new(&subnet("10.0.0.0/29")).unwrap();
            let (mut book, mut model) = (Book::default(), BTreeSet::new());
            for (hold, who, last) in steps {
                let (address, mac, uid) = (Ipv4Addr::new(10, 0, 0, last), format!("m{last}"), who.to_string());
                if hold {
                    let other = book.hold("n", address, &mac, &uid);
                    prop_assert_eq!(other.is_some(), model.iter().any(|(a, u)| *a == address && *u != who));
                    model.insert((address, who));
                } else {
                    book.release("n", address, &mac, &uid);
                    model.remove(&(address, who));
                }
                let held: BTreeSet<_> = model.iter().map(|(a, _)| *a).collect();
                prop_assert_eq!(book.in_use("n"), held.len() as u64);
                prop_assert_eq!(book.macs.len(), held.len());
                let taken = book.clone().take("n", &pool, Some(address), "new") == Err(NoAddress::Taken(address));
                prop_assert_eq!(taken, held.contains(&address));
            }
        }

        #[test]
        fn no_address_and_no_mac_is_ever_given_twice(steps in proptest::collection::vec((0u8..2, 0usize..12), 0..80)) {
            let pool = Pool::new(&subnet("10.0.0.0/28")).unwrap();
            let mut book = Book::default();
            let mut held: BTreeMap<usize, (Ipv4Addr, String)> = BTreeMap::new();
            for (what, who) in steps {
                let uid = who.to_string();
                match (what, held.contains_key(&who)) {
                    (0, false) => {
                        if let Ok((a, mac)) = book.take("n", &pool, None, &uid) {
                            prop_assert!(held.values().all(|(b, m)| *b != a && *m != mac));
                            held.insert(who, (a, mac));
                        } else {
                            prop_assert_eq!(held.len() as u64, pool.len());
                        }
                    }
                    (1, true) => {
                        let (a, mac) = held.remove(&who).unwrap();
                        book.release("n", a, &mac, &uid);
                    }
                    _ => {}
                }
                prop_assert_eq!(book.in_use("n"), held.len() as u64);
            }
        }
    }
}
