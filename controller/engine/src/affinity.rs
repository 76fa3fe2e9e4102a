//! Scheduler hints: where a Server may be in relation to others. Pure, over where those others are.

use std::collections::{BTreeMap, BTreeSet};

use ostler_crds::server_group::{GroupPolicy, ServerGroupSpec};

/// How many Servers of a group each host has; hosts with none may be left out.
pub type Members = BTreeMap<String, u32>;

/// What a Server's hints say of hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affinity {
    /// Only these; `None`: any.
    pub only: Option<BTreeSet<String>>,
    /// None of these.
    pub never: BTreeSet<String>,
    /// Rather those with much of this, before anything else is weighed.
    pub rather: BTreeMap<String, i64>,
}

impl Affinity {
    /// Of a group's policy, and of the hosts of the Servers that `sameHost` and `differentHost` name.
    pub fn of(
        group: Option<(&ServerGroupSpec, &Members)>,
        same: Option<BTreeSet<String>>,
        different: BTreeSet<String>,
    ) -> Self {
        let mut out = Self { only: same, never: different, rather: BTreeMap::new() };
        let Some((spec, members)) = group else { return out };
        let occupied = || members.iter().filter(|(_, n)| **n > 0);
        match spec.policy {
            // The first one of a group may be anywhere.
            GroupPolicy::Affinity if occupied().next().is_none() => {}
            GroupPolicy::Affinity => {
                let together: BTreeSet<String> = occupied().map(|(h, _)| h.clone()).collect();
                out.only = Some(match out.only {
                    Some(same) => same.intersection(&together).cloned().collect(),
                    None => together,
                });
            }
            GroupPolicy::AntiAffinity => {
                let most = spec.max_servers_per_host.unwrap_or(1);
                out.never.extend(members.iter().filter(|(_, n)| **n >= most).map(|(h, _)| h.clone()));
            }
            GroupPolicy::SoftAffinity => {
                out.rather = occupied().map(|(h, n)| (h.clone(), i64::from(*n))).collect();
            }
            GroupPolicy::SoftAntiAffinity => {
                out.rather = occupied().map(|(h, n)| (h.clone(), -i64::from(*n))).collect();
            }
        }
        out
    }

    /// Whether the host is one of those that it must be on, if there are such.
    pub fn allows(&self, host: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(host))
    }

    /// Whether the host is one of those that it must not be on.
    pub fn forbids(&self, host: &str) -> bool {
        self.never.contains(host)
    }

    /// How much it would rather be there.
    pub fn weight(&self, host: &str) -> i64 {
        self.rather.get(host).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(policy: GroupPolicy, max: Option<u32>) -> ServerGroupSpec {
        ServerGroupSpec { display_name: None, policy, max_servers_per_host: max }
    }

    fn members(list: &[(&str, u32)]) -> Members {
        list.iter().map(|(h, n)| ((*h).to_owned(), *n)).collect()
    }

    fn of(policy: GroupPolicy, max: Option<u32>, list: &[(&str, u32)]) -> Affinity {
        Affinity::of(Some((&spec(policy, max), &members(list))), None, BTreeSet::new())
    }

    #[test]
    fn each_policy_says_its_own_of_hosts() {
        let together = of(GroupPolicy::Affinity, None, &[("a", 1)]);
        assert!(together.allows("a") && !together.allows("b"));
        assert!(of(GroupPolicy::Affinity, None, &[("a", 0)]).allows("b"), "the first one may be anywhere");
        let apart = of(GroupPolicy::AntiAffinity, None, &[("a", 1), ("b", 0)]);
        assert!(apart.forbids("a") && !apart.forbids("b") && !apart.forbids("c"));
        let two = of(GroupPolicy::AntiAffinity, Some(2), &[("a", 1), ("b", 2)]);
        assert!(!two.forbids("a") && two.forbids("b"));
        let near = of(GroupPolicy::SoftAffinity, None, &[("a", 2), ("b", 1)]);
        assert!(near.weight("a") > near.weight("b") && near.weight("b") > near.weight("c") && near.allows("c"));
        let far = of(GroupPolicy::SoftAntiAffinity, None, &[("a", 2), ("b", 1)]);
        assert!(far.weight("c") > far.weight("b") && far.weight("b") > far.weight("a") && !far.forbids("a"));
    }

    #[test]
    fn the_same_host_and_a_group_must_agree() {
        let set = |h: &str| BTreeSet::from([h.to_owned()]);
        let affinity = spec(GroupPolicy::Affinity, None);
        let both = Affinity::of(Some((&affinity, &members(&[("a", 1)]))), Some(set("b")), BTreeSet::new());
        assert!(!both.allows("a") && !both.allows("b"));
        let hints = Affinity::of(None, Some(set("a")), set("b"));
        assert!(hints.allows("a") && hints.forbids("b") && !hints.allows("c"));
        assert!(!Affinity::of(None, Some(BTreeSet::new()), BTreeSet::new()).allows("a"), "a server that is nowhere");
    }

    proptest! {
        /// Servers placed one after another by a policy keep it.
        #[test]
        fn a_policy_holds_however_many_are_placed(
            hosts in 1usize..6, servers in 0usize..20, max in 1u32..4, policy in 0usize..2,
        ) {
            let policy = GroupPolicy::ALL[policy];
            let spec = spec(policy, (policy == GroupPolicy::AntiAffinity).then_some(max));
            let mut members = Members::new();
            for number in 0..servers {
                let affinity = Affinity::of(Some((&spec, &members)), None, BTreeSet::new());
                // Any host that is allowed, a different one each time.
                let free: Vec<String> =
                    (0..hosts).map(|h| h.to_string()).filter(|h| affinity.allows(h) && !affinity.forbids(h)).collect();
                let Some(host) = free.get(number % free.len().max(1)) else { continue };
                *members.entry(host.clone()).or_default() += 1;
            }
            match policy {
                GroupPolicy::Affinity => prop_assert!(members.len() <= 1),
                _ => prop_assert!(members.values().all(|n| *n <= max)),
            }
            prop_assert_eq!(
                members.values().sum::<u32>() as usize,
                if policy == GroupPolicy::Affinity { servers } else { servers.min(hosts * max as usize) }
            );
        }
    }
}
