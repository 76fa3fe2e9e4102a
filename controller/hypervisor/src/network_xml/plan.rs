//! Which changes of a network's reservations lead to a wish.

use super::Reservation;

/// A change of one reservation. libvirt removes by the whole entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationChange {
    /// Take this entry out.
    Remove(Reservation),
    /// Put this entry in.
    Add(Reservation),
}

/// What to change so that `wanted.address` goes to `wanted.mac` and to nobody else. Nothing when it is so already.
///
/// Whoever had the address loses it: addresses are given out in one place for the whole cluster, so an older entry is a
/// leftover.
pub fn plan_reserve(there: &[Reservation], wanted: &Reservation) -> Vec<ReservationChange> {
    let in_the_way = |entry: &&Reservation| (entry.mac == wanted.mac) != (entry.address == wanted.address);
    let same = |entry: &Reservation| entry.mac == wanted.mac && entry.address == wanted.address;
    let mut changes: Vec<_> = there.iter().filter(in_the_way).cloned().map(ReservationChange::Remove).collect();
    if !there.iter().any(same) {
        changes.push(ReservationChange::Add(wanted.clone()));
    }
    changes
}

/// What to change so that `mac` has no reservation.
pub fn plan_release(there: &[Reservation], mac: &str) -> Vec<ReservationChange> {
    there.iter().filter(|entry| entry.mac == mac).cloned().map(ReservationChange::Remove).collect()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    fn entry() -> impl Strategy<Value = Reservation> {
        (0..6_u8, 0..6_u8).prop_map(|(mac, address)| Reservation {
            mac: format!("fa:16:3e:00:00:0{mac}"),
            address: Ipv4Addr::new(10, 0, 0, address),
        })
    }

    /// As libvirt does it: an entry is removed by all its parts, and added only if it clashes with none.
    fn apply(mut entries: Vec<Reservation>, changes: Vec<ReservationChange>) -> Vec<Reservation> {
        for change in changes {
            match change {
                ReservationChange::Remove(gone) => {
                    let at = entries.iter().position(|entry| *entry == gone).unwrap();
                    entries.remove(at);
                }
                ReservationChange::Add(new) => {
                    let clash = |entry: &Reservation| entry.mac == new.mac || entry.address == new.address;
                    assert!(!entries.iter().any(clash), "{new:?} clashes in {entries:?}");
                    entries.push(new);
                }
            }
        }
        entries
    }

    proptest! {
        #[test]
        fn any_wishes_in_any_order_lead_to_what_was_wished_last(wishes in proptest::collection::vec(entry(), 0..20)) {
            let mut entries = Vec::new();
            for wanted in wishes {
                let before = entries.clone();
                entries = apply(entries, plan_reserve(&before, &wanted));
                prop_assert!(entries.iter().any(|e| e.mac == wanted.mac && e.address == wanted.address));
                prop_assert!(plan_reserve(&entries, &wanted).is_empty(), "idempotent");
                let others = before.iter().filter(|e| e.mac != wanted.mac && e.address != wanted.address);
                prop_assert!(others.into_iter().all(|e| entries.contains(e)), "nobody else is touched");
            }
        }

        #[test]
        fn release_takes_out_one_mac_and_nothing_else(wishes in proptest::collection::vec(entry(), 0..20), mac in 0..6_u8) {
            let mac = format!("fa:16:3e:00:00:0{mac}");
            let entries = wishes.iter().fold(Vec::new(), |e, w| { let plan = plan_reserve(&e, w); apply(e, plan) });
            let left = apply(entries.clone(), plan_release(&entries, &mac));
            prop_assert!(plan_release(&left, &mac).is_empty());
            prop_assert_eq!(left.len(), entries.iter().filter(|e| e.mac != mac).count());
        }
    }
}
