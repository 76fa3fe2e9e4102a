//! Connections whose token is not checked yet: few for each peer, so that nobody takes all of them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// For one peer.
const OF_A_PEER: usize = 8;
/// For all of them.
const OF_ALL: usize = 256;

/// Counts strangers by address. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Strangers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Stranger {
    peer: IpAddr,
    all: Strangers,
}

impl Strangers {
    /// Lets one in, if there is room.
    pub fn admit(&self, peer: IpAddr) -> Option<Stranger> {
        let mut all = self.all();
        let of_this = all.get(&peer).copied().unwrap_or_default();
        if of_this >= OF_A_PEER || all.values().sum::<usize>() >= OF_ALL {
            return None;
        }
        all.insert(peer, of_this + 1);
        Some(Stranger { peer, all: self.clone() })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut all = self.all.all();
        match all.get_mut(&self.peer) {
            Some(n) if *n > 1 => *n -= 1,
            _ => drop(all.remove(&self.peer)),
        }
    }
}

/// Whom an address stands for: in IPv6 everybody has a whole network of them.
pub fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_leaves_room_for_others_and_all_together_have_a_limit() {
        let (strangers, a) = (Strangers::default(), IpAddr::from([10, 0, 0, 1]));
        let mut held: Vec<_> = (0..OF_A_PEER).map(|_| strangers.admit(a).unwrap()).collect();
        assert!(strangers.admit(a).is_none());
        for n in 1..OF_ALL / OF_A_PEER {
            held.extend((0..OF_A_PEER).map(|_| strangers.admit(IpAddr::from([10, 0, 1, n as u8])).unwrap()));
        }
        assert!(strangers.admit(IpAddr::from([10, 0, 2, 1])).is_none());
        held.remove(0);
        held.push(strangers.admit(a).unwrap());
        held.clear();
        assert!(strangers.all().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_addresses_is_one_peer() {
        let of = |text: &str| peer(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
