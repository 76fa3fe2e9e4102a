//! Filter and weigh: which Host gets a Server. Nova's way, in memory, over plain data.

use std::{cmp::Reverse, collections::BTreeMap, fmt};

use ostler_crds::{Host, host::Resources};

use crate::affinity::Affinity;

/// What a Server needs of a Host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Processors, memory, disk.
    pub resources: Resources,
    /// Availability zone, if one is asked for.
    pub zone: Option<String>,
    /// Labels that the Host must have.
    pub node_selector: BTreeMap<String, String>,
    /// Where it may be in relation to other Servers.
    pub affinity: Affinity,
}

/// A Host as the scheduler sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `metadata.name`.
    pub name: String,
    /// Availability zone.
    pub zone: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `spec.schedulable`.
    pub schedulable: bool,
    /// Condition Ready, and a heartbeat that is not stale.
    pub ready: bool,
    /// What may be given out in all, overcommit and reserve counted in.
    pub total: Resources,
    /// What bound Servers hold of it.
    pub held: Resources,
}

impl Candidate {
    /// The Host with what is held of it. `alive`: its heartbeat is not stale.
    pub fn new(host: &Host, held: Resources, alive: bool) -> Self {
        let status = host.status.as_ref();
        let ready = status.is_some_and(|s| {
            s.conditions.iter().any(|c| c.type_ == ostler_crds::names::condition::READY && c.status == "True")
        });
        let capacity = status.and_then(|s| s.capacity).unwrap_or_default();
        let images = status.and_then(|s| s.image_cache).unwrap_or_default().kept_mib();
        let disk_mib = (capacity.disk_gib << 10).saturating_sub(images);
        let percent = |n: u64, p: u32| n.saturating_mul(u64::from(p)) / 100;
        let total = Resources {
            vcpus: percent(capacity.vcpus, host.spec.cpu_overcommit_percent),
            memory_mib: percent(capacity.memory_mib, host.spec.memory_overcommit_percent)
                .saturating_sub(host.spec.reserved_memory_mib),
            disk_gib: percent(disk_mib, host.spec.disk_overcommit_percent) >> 10,
        };
        Self {
            name: host.metadata.name.clone().unwrap_or_default(),
            zone: host.availability_zone().to_owned(),
            labels: host.metadata.labels.clone().unwrap_or_default(),
            schedulable: host.spec.schedulable && !host.spec.fenced && host.metadata.deletion_timestamp.is_none(),
            ready: ready && alive,
            total,
            held,
        }
    }

    /// What it can still give.
    pub fn free(&self) -> Resources {
        Resources {
            vcpus: self.total.vcpus.saturating_sub(self.held.vcpus),
            memory_mib: self.total.memory_mib.saturating_sub(self.held.memory_mib),
            disk_gib: self.total.disk_gib.saturating_sub(self.held.disk_gib),
        }
    }
}

/// Why one Host was passed over; the order is that of the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// `spec.schedulable` is false.
    Unschedulable,
    /// Not Ready, or silent.
    NotReady,
    /// Another availability zone.
    OtherZone,
    /// A label is missing.
    LabelMissing,
    /// Not one of those that a server group or `sameHost` asks for.
    OutsideGroup,
    /// One of those that a server group or `differentHost` keeps it from.
    BesideOthers,
    /// Too few processors.
    TooFewVcpus,
    /// Too little memory.
    TooLittleMemory,
    /// Too little disk.
    TooLittleDisk,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unschedulable => "unschedulable",
            Self::NotReady => "not ready",
            Self::OtherZone => "in another availability zone",
            Self::LabelMissing => "without a label of nodeSelector",
            Self::OutsideGroup => "other than schedulerHints asks for",
            Self::BesideOthers => "with a Server that schedulerHints keeps it from",
            Self::TooFewVcpus => "with too few vcpus",
            Self::TooLittleMemory => "with too little memory",
            Self::TooLittleDisk => "with too little disk",
        })
    }
}

/// No Host fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoHostFits(BTreeMap<Obstacle, usize>);

impl fmt::Display for NoHostFits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("there are no Hosts; is the node role running? (kubectl get hosts)");
        }
        write!(f, "0 of {} Hosts fit: ", self.0.values().sum::<usize>())?;
        for (i, (obstacle, n)) in self.0.iter().enumerate() {
            write!(f, "{}{n} {obstacle}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(" (kubectl get hosts -o wide)")
    }
}

/// The Host to use: of those that fit, the one that a soft policy would rather have, then the one with the most memory left,
/// then the most processors, then by name.
pub fn choose<'a>(request: &Request, candidates: &'a [Candidate]) -> Result<&'a str, NoHostFits> {
    let mut obstacles = BTreeMap::new();
    let mut best: Option<&Candidate> = None;
    for candidate in candidates {
        if let Some(obstacle) = obstacle(request, candidate) {
            *obstacles.entry(obstacle).or_insert(0) += 1;
        } else if best.is_none_or(|b| weight(request, candidate) > weight(request, b)) {
            best = Some(candidate);
        }
    }
    best.map(|c| c.name.as_str()).ok_or(NoHostFits(obstacles))
}

fn weight<'a>(request: &Request, candidate: &'a Candidate) -> (i64, u64, u64, Reverse<&'a str>) {
    let free = candidate.free();
    (request.affinity.weight(&candidate.name), free.memory_mib, free.vcpus, Reverse(&candidate.name))
}

fn obstacle(request: &Request, candidate: &Candidate) -> Option<Obstacle> {
    let free = candidate.free();
    let need = &request.resources;
    let filters = [
        (!candidate.schedulable, Obstacle::Unschedulable),
        (!candidate.ready, Obstacle::NotReady),
        (request.zone.as_ref().is_some_and(|z| *z != candidate.zone), Obstacle::OtherZone),
        (request.node_selector.iter().any(|(k, v)| candidate.labels.get(k) != Some(v)), Obstacle::LabelMissing),
        (!request.affinity.allows(&candidate.name), Obstacle::OutsideGroup),
        (request.affinity.forbids(&candidate.name), Obstacle::BesideOthers),
        (need.vcpus > free.vcpus, Obstacle::TooFewVcpus),
        (need.memory_mib > free.memory_mib, Obstacle::TooLittleMemory),
        (need.disk_gib > free.disk_gib, Obstacle::TooLittleDisk),
    ];
    filters.into_iter().find_map(|(fails, obstacle)| fails.then_some(obstacle))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ostler_crds::host::ImageCacheUsage;
    use proptest::prelude::*;

    use super::*;

    fn host(name: &str, memory: u64) -> Candidate {
        Candidate {
            name: name.to_owned(),
            zone: "nova".to_owned(),
            labels: BTreeMap::new(),
            schedulable: true,
            ready: true,
            total: Resources { vcpus: 8, memory_mib: memory, disk_gib: 100 },
            held: Resources::default(),
        }
    }

    fn need(memory_mib: u64) -> Request {
        Request { resources: Resources { vcpus: 1, memory_mib, disk_gib: 1 }, ..Default::default() }
    }

    #[test]
    fn what_images_take_of_the_disk_is_given_to_no_guest() {
        let disk = |limit_mib, used_mib, percent| {
            let spec = serde_json::json!({ "diskOvercommitPercent": percent });
            let mut host = Host::new("h", serde_json::from_value(spec).unwrap());
            host.status = Some(ostler_crds::HostStatus {
                capacity: Some(Resources { vcpus: 1, memory_mib: 1, disk_gib: 100 }),
                image_cache: Some(ImageCacheUsage { images: 1, used_mib, limit_mib }),
                ..Default::default()
            });
            Candidate::new(&host, Resources::default(), true).total.disk_gib
        };
        assert_eq!(disk(10 << 10, 0, 100), 90, "what they may take");
        assert_eq!(disk(10 << 10, 20 << 10, 100), 80, "or do");
        assert_eq!(disk(10 << 10, 0, 200), 180);
        assert_eq!(disk(200 << 10, 0, 100), 0);
    }

    #[test]
    fn the_host_with_the_most_memory_left_wins() {
        assert_eq!(choose(&need(100), &[host("a", 500), host("b", 900)]), Ok("b"));
        assert_eq!(choose(&need(100), &[host("b", 500), host("a", 500)]), Ok("a"));
    }

    #[test]
    fn the_refusal_counts_what_stood_in_the_way() {
        let mut off = host("b", 900);
        off.schedulable = false;
        let error = choose(&need(600), &[host("a", 500), off]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "0 of 2 Hosts fit: 1 unschedulable, 1 with too little memory (kubectl get hosts -o wide)"
        );
        assert!(choose(&need(1), &[]).unwrap_err().to_string().contains("there are no Hosts"));
    }

    #[test]
    fn zone_and_labels_are_honoured() {
        let request = Request { zone: Some("b".to_owned()), ..need(1) };
        assert!(choose(&request, &[host("a", 500)]).is_err());
        let request = Request { node_selector: [("disk".to_owned(), "ssd".to_owned())].into(), ..need(1) };
        assert!(choose(&request, &[host("a", 500)]).is_err());
        let mut ssd = host("a", 500);
        ssd.labels.insert("disk".to_owned(), "ssd".to_owned());
        assert_eq!(choose(&request, &[ssd]), Ok("a"));
    }

    #[test]
    fn hints_come_before_what_is_left() {
        let set = |h: &str| BTreeSet::from([h.to_owned()]);
        let hosts = [host("a", 500), host("b", 900)];
        let with = |affinity| Request { affinity, ..need(1) };
        assert_eq!(choose(&with(Affinity { only: Some(set("a")), ..Default::default() }), &hosts), Ok("a"));
        assert_eq!(choose(&with(Affinity { never: set("b"), ..Default::default() }), &hosts), Ok("a"));
        let rather = BTreeMap::from([("a".to_owned(), 1)]);
        assert_eq!(choose(&with(Affinity { rather, ..Default::default() }), &hosts), Ok("a"));
        let neither = Affinity { only: Some(set("a")), never: set("a"), ..Default::default() };
        let error = choose(&with(neither), &hosts).unwrap_err().to_string();
        assert!(error.contains("1 other than schedulerHints asks for") && error.contains("1 with a Server"), "{error}");
    }

    proptest! {
        #[test]
        fn no_host_is_ever_filled_beyond_what_it_may_give(
            memories in proptest::collection::vec(0u64..4000, 1..5),
            wishes in proptest::collection::vec(1u64..1500, 0..20),
        ) {
            let mut hosts: Vec<_> = memories.iter().enumerate().map(|(i, m)| host(&i.to_string(), *m)).collect();
            for wish in wishes {
                let request = need(wish);
                let Ok(name) = choose(&request, &hosts).map(str::to_owned) else { continue };
                let chosen = hosts.iter_mut().find(|h| h.name == name).unwrap();
                chosen.held.memory_mib += wish;
                chosen.held.vcpus += 1;
                prop_assert!(chosen.held.memory_mib <= chosen.total.memory_mib);
                prop_assert!(chosen.held.vcpus <= chosen.total.vcpus);
            }
        }
    }
}
