//! Off the host: the guest is kept as an image, and nothing of it shall be left here. The Server says so for good before
//! (`status.shelf`), so this is done whatever is wished by now.

use super::{
    super::{
        failure::{Failure, FailureKind},
        memory::Memory,
        observed::{Folder, Observed},
        wish::Identity,
    },
    Decision, Goal, Settled, VmState, absent,
};

pub(super) fn decide(
    id: &Identity,
    observed: &Observed,
    reservations: &[(String, String)],
    foreign: Option<&'static str>,
) -> Decision {
    if let Some(what) = foreign {
        let failure = Failure::new(FailureKind::Foreign, "cannot take the guest off its host", what);
        return Decision::new(vec![], Goal::Blocked(failure), Memory::default());
    }
    let mut gone = absent::decide(id, observed, reservations);
    // The folder goes last, so the addresses were taken back before.
    if observed.domain.is_none() && observed.files.folder == Folder::Missing {
        gone.steps.clear();
    }
    Decision {
        goal: Goal::Settled(Settled {
            vm: VmState::ShelvedOffloaded,
            disk: None,
            set_to_error: false,
            unresolved: None,
        }),
        ..gone
    }
}
