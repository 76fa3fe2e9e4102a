//! What the node role says of its machine: a pure function of what was seen.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use ostler_crds::{
    ConditionBuilder, ConditionStatus, HostStatus, Server, ServerStatus,
    host::{HostEndpoint, ImageCacheUsage, Resources},
    names::{condition, reason},
};
use ostler_hypervisor::HostFacts;

use super::super::storage::CacheState;

/// What was seen of the machine.
pub struct Seen<'a> {
    /// What libvirt says, or why it says nothing.
    pub facts: Result<&'a HostFacts, &'a str>,
    /// When it was booted.
    pub booted_at: Option<Timestamp>,
    /// What its guests use.
    pub used: Resources,
    /// Its image cache; `None`: not looked at yet.
    pub image_cache: Option<CacheState>,
    /// Where the streams are.
    pub endpoint: &'a HostEndpoint,
    /// Whether it must run no guest.
    pub fenced: bool,
    /// `metadata.generation` of the Host.
    pub generation: i64,
}

/// The status; what libvirt said before is kept while it is away.
pub fn describe(previous: &HostStatus, seen: &Seen<'_>, now: Timestamp) -> HostStatus {
    let ready = match seen.facts {
        Ok(_) if seen.fenced => ConditionBuilder {
            type_: condition::READY,
            status: ConditionStatus::False,
            reason: reason::FENCED,
            message: "spec.fenced is set: this machine answers, and runs no guest until the fence is lifted".to_owned(),
        },
        Ok(_) => ConditionBuilder {
            type_: condition::READY,
            status: ConditionStatus::True,
            reason: reason::HYPERVISOR_READY,
            message: "libvirt answers, guests may be placed here".to_owned(),
        },
        Err(why) => ConditionBuilder {
            type_: condition::READY,
            status: ConditionStatus::False,
            reason: reason::HYPERVISOR_UNREACHABLE,
            message: unreachable(previous, why),
        },
    };
    let mut next = HostStatus {
        observed_generation: Some(seen.generation),
        used: Some(seen.used),
        image_cache: seen.image_cache.map(image_cache).or(previous.image_cache),
        booted_at: booted_at(previous, seen),
        endpoint: Some(seen.endpoint.clone()),
        conditions: vec![ready.build(seen.generation, &previous.conditions, now)],
        ..previous.clone()
    };
    if let Ok(facts) = seen.facts {
        next.capacity = Some(facts.capacity);
        next.accelerator = Some(facts.accelerator);
        next.libvirt_version = Some(facts.libvirt_version.clone());
        next.qemu_version = Some(facts.qemu_version.clone());
    }
    next
}

fn image_cache(state: CacheState) -> ImageCacheUsage {
    ImageCacheUsage {
        images: state.images,
        used_mib: state.bytes.div_ceil(1 << 20),
        limit_mib: state.limit_bytes >> 20,
    }
}

/// Seconds by which a clock that is set while the machine runs may move its boot; it is no other boot.
const SAME_BOOT: i64 = 60;

/// A boot that is known already is kept, so that a clock that is set costs no write.
fn booted_at(previous: &HostStatus, seen: &Seen<'_>) -> Option<Time> {
    let (known, now) = (previous.booted_at.clone(), seen.booted_at.map(Time));
    let same = |a: &Time, b: &Time| a.0.as_second().abs_diff(b.0.as_second()) < SAME_BOOT.unsigned_abs();
    match (known, now) {
        (Some(known), Some(now)) if !same(&known, &now) => Some(now),
        (known, now) => known.or(now),
    }
}

/// What the first failure said is kept, so that a changing detail costs no write.
fn unreachable(previous: &HostStatus, why: &str) -> String {
    let known = ostler_crds::find_condition(&previous.conditions, condition::READY)
        .filter(|c| c.reason == reason::HYPERVISOR_UNREACHABLE);
    known.map_or_else(
        || format!("libvirt does not answer: {why}. Guests keep running; see that libvirtd runs on the host"),
        |c| c.message.clone(),
    )
}

/// What the guests of these Servers use, running or not: a stopped guest keeps its place.
pub fn used(servers: &[Server]) -> Resources {
    let all = servers.iter().filter_map(|s| s.status.as_ref()).map(ServerStatus::footprint);
    all.fold(Resources::default(), |sum, one| Resources {
        vcpus: sum.vcpus + one.vcpus,
        memory_mib: sum.memory_mib + one.memory_mib,
        disk_gib: sum.disk_gib + one.disk_gib,
    })
}

#[cfg(test)]
mod tests {
    use ostler_crds::host::Accelerator;

    use super::*;

    fn facts() -> HostFacts {
        HostFacts {
            capacity: Resources { vcpus: 2, memory_mib: 4096, disk_gib: 50 },
            accelerator: Accelerator::Tcg,
            libvirt_version: "9.0.0".into(),
            qemu_version: "7.2.0".into(),
        }
    }

    fn status(previous: &HostStatus, facts: Result<&HostFacts, &str>, second: i64) -> HostStatus {
        let endpoint = HostEndpoint { url: "https://10.0.0.1:10350".into(), ca_bundle: "PEM".into() };
        let booted_at = Timestamp::from_second(1000 + second).ok();
        let used = Resources::default();
        let image_cache = Some(CacheState { images: 1, bytes: 1, limit_bytes: 5 << 20, ..CacheState::default() });
        let seen = Seen { facts, booted_at, used, image_cache, endpoint: &endpoint, fenced: false, generation: 1 };
        describe(previous, &seen, Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn a_host_is_ready_while_libvirt_answers_and_keeps_what_is_known_of_it_while_it_does_not() {
        let ready = status(&HostStatus::default(), Ok(&facts()), 1);
        assert_eq!(ready.conditions[0].status, "True");
        assert_eq!(ready.image_cache, Some(ImageCacheUsage { images: 1, used_mib: 1, limit_mib: 5 }));
        let away = status(&ready, Err("no socket"), 2);
        assert_eq!((away.conditions[0].status.as_str(), away.capacity), ("False", ready.capacity));
        assert_eq!(status(&away, Err("another word for it"), 3), away);
        assert_eq!(status(&ready, Ok(&facts()), 9), ready);
    }
}
