//! What no step can remove.

use super::{
    super::failure::{Failure, FailureKind},
    Decision, Goal,
    scene::Scene,
};
use crate::guest::memory::Memory;

/// Whose guest it is, and where it is plugged in.
pub(super) fn untouchable(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let (guest, observed) = (scene.guest, scene.observed);
    if let Some(what) = scene.foreign {
        return blocked(Failure::new(FailureKind::Foreign, "cannot touch the guest", what), memory);
    }
    let made = |name: &str| {
        let mut nics = observed.domain.iter().flat_map(|d| &d.nics);
        nics.any(|(network, _)| network == name)
    };
    let lost = guest.nics.iter().find(|n| n.network.is_none() && !made(&n.definition.network));
    let nic = lost.filter(|_| !observed.is_active())?;
    let cause = format!("the Network {:?} of spec.networks does not exist any more", nic.network_name);
    blocked(Failure::new(FailureKind::NetworkMissing, "cannot plug in the guest", cause), memory)
}

/// A disk that is gone is never replaced in silence; a rebuild was looked for before.
pub(super) fn diskless(scene: &Scene<'_>, memory: &mut Memory) -> Option<Decision> {
    let observed = scene.observed;
    let ran = (scene.guest.launched && !scene.guest.returns) || observed.domain.is_some();
    let gone = ran && !observed.is_active() && observed.files.root_disk.is_none();
    let doing = "cannot start the guest";
    let failure = || Failure::new(FailureKind::DiskMissing, doing, "its root disk is gone from the host");
    gone.then(failure).and_then(|failure| blocked(failure, memory))
}

fn blocked(failure: Failure, memory: &Memory) -> Option<Decision> {
    Some(Decision::new(vec![], Goal::Blocked(failure), memory.clone()))
}
