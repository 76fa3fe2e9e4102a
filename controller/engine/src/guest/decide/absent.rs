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

pub(super) fn decide(id: &Identity, observed: &Observed, reservations: &[(String, String)]) -> Decision {
    let mut steps = Vec::new();
    // Each is judged for itself: a guest of ours must not run on because its folder is somebody else's.
    let foreign_domain = observed.has_foreign_domain(&id.owner.uid);
    let foreign_folder = observed.has_foreign_folder(&id.owner.uid);
    if !foreign_domain && observed.domain.is_some() {
        if observed.is_active() {
            steps.push(Step::Hypervisor(HypervisorStep::Destroy(id.guest)));
        }
        steps.push(Step::Hypervisor(HypervisorStep::Undefine(id.guest)));
    }
    // Reservations are not observed, so they are taken back each time; a MAC belongs to one Server for ever.
    steps.extend(reservations.iter().map(|(network, mac)| {
        Step::Hypervisor(HypervisorStep::ReleaseAddress { network: network.clone(), mac: mac.clone() })
    }));
    // A foreign domain may use what is in the folder.
    if !foreign_domain && !foreign_folder && observed.files.folder != Folder::Missing {
        steps.push(Step::Storage(StorageStep::RemoveGuestFiles { guest: id.guest }));
    }
    let goal = if foreign_domain || foreign_folder { Goal::GoneButForeign } else { Goal::Gone };
    Decision::new(steps, goal, Memory::default())
}
