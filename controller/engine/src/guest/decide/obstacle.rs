//! What no step can remove.

use super::{
    super::failure::{Failure, FailureKind},
    Decision, Goal,
    scene::Scene,
};
use crate::guest::memory::Memory;

pub(super) fn decide(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let failure = obstacle(scene)?;
    Some(Decision::new(vec![], Goal::Blocked(failure), memory.clone()))
}

fn obstacle(scene: &Scene<'_>) -> Option<Failure> {
    let (guest, observed) = (scene.guest, scene.observed);
    if let Some(what) = scene.foreign {
        return Some(Failure::new(FailureKind::Foreign, "cannot touch the guest", what));
    }
    let ran = (guest.launched && !guest.returns) || observed.domain.is_some();
    if ran && !observed.is_active() && !observed.files.root_disk {
        let doing = "cannot start the guest";
        return Some(Failure::new(FailureKind::DiskMissing, doing, "its root disk is gone from the host"));
    }
    let made = |name: &str| {
        let mut nics = observed.domain.iter().flat_map(|d| &d.nics);
        nics.any(|(network, _)| network == name)
    };
    let lost = guest.nics.iter().find(|n| n.network.is_none() && !made(&n.definition.network));
    lost.filter(|_| !observed.is_active()).map(|nic| {
        let cause = format!("the Network {:?} of spec.networks does not exist any more", nic.network_name);
        Failure::new(FailureKind::NetworkMissing, "cannot plug in the guest", cause)
    })
}
