//! The way out: nothing of the guest shall be left.

use ostler_hypervisor::{HypervisorStep, Step, StorageStep};

use super::{
    super::{
        memory::Memory,
        observed::{Folder, Observed},
        wish::Identity,
    },
    Decision, Goal,
};

pub(super) fn decide(
    id: &Identity,
    observed: &Observed,
    reservations: &[(String, String)],
    foreign: Option<&'static str>,
) -> Decision {
    let mut steps = Vec::new();
    if foreign.is_none() && observed.domain.is_some() {
        if observed.is_active() {
            steps.push(Step::Hypervisor(HypervisorStep::Destroy(id.guest)));
        }
        steps.push(Step::Hypervisor(HypervisorStep::Undefine(id.guest)));
    }
    // Reservations are not observed, so they are taken back each time; a MAC belongs to one Server for ever.
    steps.extend(reservations.iter().map(|(network, mac)| {
        Step::Hypervisor(HypervisorStep::ReleaseAddress { network: network.clone(), mac: mac.clone() })
    }));
    if foreign.is_none() && observed.files.folder != Folder::Missing {
        steps.push(Step::Storage(StorageStep::RemoveGuestFiles { guest: id.guest }));
    }
    let goal = if foreign.is_some() { Goal::GoneButForeign } else { Goal::Gone };
    Decision::new(steps, goal, Memory::default())
}
